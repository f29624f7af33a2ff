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
  /** `-h` */
  readonly human?: boolean
  /** `-br` */
  readonly brief?: boolean
  /** Whose head line it is: `ip link` (the default) has the mode, `ip monitor` has no queue length. */
  readonly view?: 'link' | 'addr' | 'monitor'
  /** Without the line of the link's own address, as with `ip -4 addr`. */
  readonly noAddress?: boolean
}

/** The name of a group; only 0 has one by default. @kernel none */
export function groupName(group: number): string {
  return group === 0 ? 'default' : String(group)
}
