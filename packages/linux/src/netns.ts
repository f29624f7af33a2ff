import { Errno } from '@vnet/kernel'
import { E, O } from './consts.ts'
import { libc } from './libc.ts'
import { closeFd, sys } from './sys.ts'

const CLONE_NEWNET = 0x40000000
const OWN = '/proc/thread-self/ns/net'
const WHO =
  'needs root (CAP_SYS_ADMIN); without it, start the whole program inside `unshare -rn`, where it is root of its own namespace'

/**
 * A network namespace of the host, held open.
 *
 * Sockets, devices and child processes made inside `run()` belong to it and stay there.
 *
 * @kernel struct net include/net/net_namespace.h
 */
export class Netns {
  #fd: number

  private constructor(fd: number) {
    this.#fd = fd
  }

  /** The one this thread is in. */
  static current(): Netns {
    return new Netns(openNs(OWN))
  }

  /**
   * Makes one without a name. It is gone when this object is closed and nothing runs in it any more.
   *
   * @throws Errno EPERM
   */
  static create(): Netns {
    const here = Netns.current()
    try {
      sys('unshare', [CLONE_NEWNET], (number) =>
        number === E.PERM ? `making a network namespace ${WHO}` : undefined,
      )
      const made = Netns.current()
      here.enter()
      return made
    } finally {
      here.close()
    }
  }

  /**
   * Opens one that `ip netns add` made.
   *
   * @throws Errno ENOENT
   */
  static named(name: string): Netns {
    if (name === '' || name.includes('/')) throw new Errno('EINVAL', `'${name}' cannot name a namespace`)
    return new Netns(openNs(`/run/netns/${name}`, `there is no namespace ${name}: \`ip netns add ${name}\``))
  }

  /** Runs something inside and comes back. What it starts asynchronously later runs outside, on what it made inside. */
  run<T>(fn: () => T): T {
    const here = Netns.current()
    try {
      this.enter()
      try {
        return fn()
      } finally {
        here.enter()
      }
    } finally {
      here.close()
    }
  }

  /** Lets go of it. */
  close(): void {
    if (this.#fd >= 0) closeFd(this.#fd)
    this.#fd = -1
  }

  private enter(): void {
    if (this.#fd < 0) throw new Errno('EBADF', 'this namespace was closed')
    sys('setns', [this.#fd, CLONE_NEWNET], (number) =>
      number === E.PERM ? `entering a network namespace ${WHO}` : undefined,
    )
  }
}

function openNs(path: string, missing?: string): number {
  // The name can be gone while the namespace lives on: the descriptor holds it, not the file.
  const sentence = (number: number): string | undefined => (number === E.NOENT ? missing : undefined)
  libc()
  return sys('open', [path, O.RDONLY | O.CLOEXEC, 0], sentence)
}
