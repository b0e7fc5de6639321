import './leak.test.ts';
