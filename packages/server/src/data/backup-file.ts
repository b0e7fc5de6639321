/** The form of a backup: a line of JSON, the file of the embedded keyspace, another line of JSON. */
export const BACKUP_FORMAT = 1;

export interface BackupHeader {
  readonly 'parley-backup': number;
  /** The version of Parley that made it. */
  readonly version: string;
  /** ISO 8601 */
  readonly created: string;
  readonly domains: readonly string[];
  /** Of the file inside. */
  readonly bytes: number;
}

export interface BackupTrailer {
  /** Of everything before this line, in hexadecimal digits. */
  readonly sha256: string;
}

/** The lines are shorter. */
export const LONGEST_LINE = 1_048_576;
