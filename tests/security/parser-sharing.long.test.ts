import './parser-sharing.test.ts';
