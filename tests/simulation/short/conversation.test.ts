import { conversation } from '../scenario.ts';
import { simulates } from '../short-form.ts';

simulates(conversation);
