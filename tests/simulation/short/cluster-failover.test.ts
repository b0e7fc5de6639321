import { clusterFailover } from '../scenario.ts';
import { simulates } from '../short-form.ts';

simulates(clusterFailover);
