/** Something that is alive: a pending timer, an interrupt handler, a device. */
export interface CensusEntry {
  readonly kind: string
  readonly name: string
  /** The module that was running when it was made. */
  readonly module: string | null
}

/** What a subsystem says about one living thing. */
export interface CensusItem {
  readonly name: string
  readonly module: string | null
}

/**
 * Everything alive in a kernel, asked of those who keep it. An unloaded module must have left nothing.
 *
 * @kernel none
 * @rule LIFE-11
 */
export class Census {
  readonly #kinds: { readonly kind: string; readonly list: () => readonly CensusItem[] }[] = []

  /** Adds a kind of thing, and the function that lists those alive. */
  add(kind: string, list: () => readonly CensusItem[]): void {
    this.#kinds.push({ kind, list })
  }

  /** Lists everything alive now, kinds in the order they were added. */
  take(): CensusEntry[] {
    const entries: CensusEntry[] = []
    for (const { kind, list } of this.#kinds) {
      for (const item of list()) entries.push({ kind, name: item.name, module: item.module })
    }
    return entries
  }
}
