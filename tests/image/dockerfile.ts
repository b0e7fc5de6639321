// Reads a Dockerfile: as much of the language as ours uses, and an error for the rest.

/** `COPY --from=install a b`: what stands in it, with the values of arguments in their places. */
export interface Instruction {
  readonly name: string;
  readonly flags: ReadonlyMap<string, string>;
  /** The words of the JSON form, or of the plain one. */
  readonly words: readonly string[];
  /** All of it behind the name, flags left out. */
  readonly text: string;
}

export interface Stage {
  readonly name: string;
  /** An image, or a stage before. */
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

const KNOWN = new Set(
  'ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL RUN STOPSIGNAL USER VOLUME WORKDIR'.split(' '),
);

/** Lines that end in a backslash go on in the next one; comments may stand between. */
const logicalLines = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replaceAll(/\\\n/g, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

/** The stages, in order. */
export function stagesOf(text: string): Stage[] {
  const stages: { name: string; base: string; instructions: Instruction[] }[] = [];
  /** Arguments before the first stage; a stage sees those that it names. */
  const general = new Map<string, string>();
  let seen = general;
  for (const line of logicalLines(text)) {
    const [, name = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
    if (!KNOWN.has(name)) throw new Error(`The tests know no instruction ${name}: ${line}`);
    // a shell has its own variables
    const values = name === 'FROM' ? general : seen;
    const said = name === 'RUN' ? rest : rest.replaceAll(/\$\{(\w+)\}/g, (_, variable) => values.get(variable) ?? '');
    if (name === 'ARG') {
      const [argument = '', value = general.get(argument) ?? ''] = said.split('=', 2);
      seen.set(argument, value.replaceAll('"', ''));
    } else if (name === 'FROM') {
      const [base = '', as, stage] = said.split(/\s+/);
      stages.push({ name: as?.toUpperCase() === 'AS' ? (stage as string) : '', base, instructions: [] });
      seen = new Map();
    } else stages.at(-1)?.instructions.push(instruction(name, said));
  }
  return stages;
}

function instruction(name: string, said: string): Instruction {
  const flags = new Map<string, string>();
  const text = said.replace(/^(?:--[\w-]+=\S+\s+)+/, (all) => {
    for (const [, flag = '', value = ''] of all.matchAll(/--([\w-]+)=(\S+)/g)) flags.set(flag, value);
    return '';
  });
  const json = /\[.*\]$/.exec(text)?.[0];
  const words = json !== undefined && name !== 'RUN' ? (JSON.parse(json) as string[]) : text.split(/\s+/);
  return { name, flags, words, text };
}

/** `a=b c="d e"` */
export const pairsOf = (text: string): Map<string, string> =>
  new Map(
    Array.from(text.matchAll(/([\w.-]+)=(?:"([^"]*)"|(\S*))/g), ([, key = '', quoted, plain]) => [
      key,
      quoted ?? plain ?? '',
    ]),
  );
