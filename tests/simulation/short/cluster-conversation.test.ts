import { clusterConversation } from '../scenario.ts';
import { simulates } from '../short-form.ts';

simulates(clusterConversation);
