import './stream-bytes.test.ts';
