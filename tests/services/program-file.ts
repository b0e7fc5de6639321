import { execFileSync } from 'node:child_process';

// Another process writes them. What this one has open for writing, a child of another thread that is started in this moment
// has open, too, until it has begun its own program; and a file that somebody writes to is not run (ETXTBSY, execve(2)).

/** Makes a program that consists of this text. */
export function writeProgram(file: string, text: string): void {
  execFileSync('sh', ['-c', 'cat > "$1" && chmod 755 "$1"', 'sh', file], { input: text });
}

/** Copies a program. */
export function copyProgram(from: string, to: string): void {
  execFileSync('cp', [from, to]);
}
