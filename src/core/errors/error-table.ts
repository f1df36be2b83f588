/** The shape of a row in a domain's error table. Layer: core. */

/** `errno` is the symbolic name a system call would report; `message` is one English sentence. */
export interface ErrorRow {
  readonly errno: string;
  readonly message: string;
}

export type ErrorTable = Readonly<Record<`E_${string}`, ErrorRow>>;
