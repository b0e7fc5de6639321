import { crash } from '../testing/crash.ts';

crash(3);
