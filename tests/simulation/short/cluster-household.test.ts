import { clusterHousehold } from '../scenario.ts';
import { simulates } from '../short-form.ts';

simulates(clusterHousehold);
