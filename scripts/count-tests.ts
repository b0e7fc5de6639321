export interface Counts {
  passed: number;
  failed: number;
}

interface Report {
  testResults: { status: string; assertionResults: { status: string }[] }[];
}

/**
 * Counts the tests in vitest's JSON report. A file that failed as a whole (it did not load, a hook threw) counts as
 * one failure, and so does a run that ended badly although every test passed (an error that no test caught).
 * A test that did not run has not passed.
 */
export function countTests(reportText: string, exitedWell: boolean): Counts {
  const { testResults }: Report = JSON.parse(reportText);
  let passed = 0;
  let failed = 0;
  for (const file of testResults) {
    const bad = file.assertionResults.filter((test) => test.status !== 'passed').length;
    passed += file.assertionResults.length - bad;
    failed += bad === 0 && file.status !== 'passed' ? 1 : bad;
  }
  if (!exitedWell && failed === 0) failed = 1;
  return { passed, failed };
}
