import { findPython, missingMessage, testNeeds } from '../../scripts/test-services.ts';

/** The path of a Python 3 that has slixmpp. Its standard library has expat (`pyexpat`). */
export function pythonWithSlixmpp(): string {
  const python = findPython();
  if (python) return python;
  const need = testNeeds.filter(({ variable }) => variable === 'TEST_PYTHON');
  throw new Error(missingMessage(need, 'the interop tests cannot do without'));
}
