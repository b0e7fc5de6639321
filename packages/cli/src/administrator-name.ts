import { userInfo } from 'node:os';

/** Who gives the command: the audit stream names them. Behind sudo it is who has called that. */
export function administratorName(): string {
  try {
    return process.env.SUDO_USER || userInfo().username;
  } catch {
    return `uid ${process.getuid?.()}`; // it has no entry among the users of the machine
  }
}
