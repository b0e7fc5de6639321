import './iq-answers.test.ts';
