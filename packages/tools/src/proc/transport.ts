/** One descriptor's way to the machine: a stream of bytes. @kernel none */
export interface Channel {
  send(bytes: Uint8Array): void
  close(): void
}

/** How a program reaches a machine. @kernel none */
export interface Transport {
  /** `onBytes` may be called at once or later, with any split; `onClose` when the machine is gone. */
  open(onBytes: (bytes: Uint8Array) => void, onClose: () => void): Channel
}

/** What of a system call server a program in the same process needs. @kernel none */
export interface LocalServer {
  connect(peer: { send(bytes: Uint8Array): void; close(): void }): LocalConnection
}

/** The server's end of a descriptor. @kernel none */
export interface LocalConnection {
  /** What the program may do besides what its sockets say. */
  capNetAdmin?: boolean
  push(bytes: Uint8Array): void
  end(): void
}

/**
 * Reaches a machine in the same process. Nothing is delivered inside a delivery: bytes wait until the one before
 * them was taken.
 *
 * With `capNetAdmin: false` the program is one of a user who may look but not change.
 *
 * @kernel none
 */
export function localTransport(server: LocalServer, options: { capNetAdmin?: boolean } = {}): Transport {
  const admin = options.capNetAdmin ?? true
  return { open: (onBytes, onClose) => new LocalChannel(server, admin, onBytes, onClose) }
}

class LocalChannel implements Channel {
  readonly #queue: (() => void)[] = []
  readonly #onClose: () => void
  #connection: LocalConnection | null
  #pumping = false

  constructor(
    server: LocalServer,
    admin: boolean,
    onBytes: (bytes: Uint8Array) => void,
    onClose: () => void,
  ) {
    this.#onClose = onClose
    this.#connection = server.connect({
      send: (bytes) => {
        const copy = bytes.slice()
        this.#deliver(() => {
          if (this.#connection !== null) onBytes(copy)
        })
      },
      close: () => this.#deliver(() => this.#closed()),
    })
    this.#connection.capNetAdmin = admin
  }

  send(bytes: Uint8Array): void {
    this.#deliver(() => this.#connection?.push(bytes))
  }

  close(): void {
    const connection = this.#connection
    this.#connection = null
    connection?.end()
  }

  #closed(): void {
    if (this.#connection === null) return
    this.#connection = null
    this.#onClose()
  }

  #deliver(what: () => void): void {
    this.#queue.push(what)
    if (this.#pumping) return
    this.#pumping = true
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) next()
    } finally {
      this.#pumping = false
    }
  }
}
