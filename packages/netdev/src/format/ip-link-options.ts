/** Which of `ip`'s options were given. @kernel none */
export interface IpLinkOptions {
  /** How many `-s`. */
  readonly stats?: 0 | 1 | 2
  /** `-d` */
  readonly details?: boolean
  /** `-j` */
  readonly json?: boolean
  /** `-p` */
  readonly pretty?: boolean
  /** `-o` */
  readonly oneline?: boolean
  /** `-br` */
  readonly brief?: boolean
}

/** The name of a group; only 0 has one by default. @kernel none */
export function groupName(group: number): string {
  return group === 0 ? 'default' : String(group)
}
