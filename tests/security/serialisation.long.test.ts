import './serialisation.test.ts';
