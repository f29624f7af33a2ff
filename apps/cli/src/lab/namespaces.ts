import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { CommandError } from '../errors.ts'

/** A namespace that we made: its name, and which one it was. */
interface Made {
  readonly name: string
  /** The inode of /run/netns/NAME: another namespace of the same name has another. */
  readonly inode: number
}

const FOLDER = '/run/netns'

/**
 * The namespaces of a lab. What was made is written down before it is used, so that the next start also removes what a
 * killed process left; a namespace that is not written down is never touched.
 */
export class LabNamespaces {
  readonly #file: string

  /** @param file - where it is written down */
  constructor(file: string) {
    this.#file = file
  }

  /** Makes them. @throws CommandError when one is there that we did not make, or without root */
  make(names: readonly string[]): void {
    this.remove()
    for (const name of names) {
      if (existsSync(`${FOLDER}/${name}`))
        throw new CommandError(
          `vnet lab: there is a namespace ${name} already, which this lab did not make; choose another name: vnet lab up NAME`,
        )
    }
    for (const name of names) {
      ip('netns', 'add', name)
      this.#write([...this.#read(), { name, inode: inodeOf(name)! }])
      ip('-n', name, 'link', 'set', 'lo', 'up')
    }
  }

  /** Removes those that are still the ones we made. @returns their names */
  remove(): string[] {
    const ours = this.#read().filter(({ name, inode }) => inodeOf(name) === inode)
    for (const { name } of ours) ip('netns', 'del', name)
    rmSync(this.#file, { force: true })
    return ours.map(({ name }) => name)
  }

  #read(): Made[] {
    if (!existsSync(this.#file)) return []
    try {
      return JSON.parse(readFileSync(this.#file, 'utf8')) as Made[]
    } catch {
      // Written half: the namespace of the torn line is left, as we cannot know that it is ours.
      return []
    }
  }

  #write(made: readonly Made[]): void {
    writeFileSync(this.#file, JSON.stringify(made), { mode: 0o600 })
  }
}

function inodeOf(name: string): number | undefined {
  return statSync(`${FOLDER}/${name}`, { throwIfNoEntry: false })?.ino
}

/** Runs `ip`. @throws CommandError with what it said */
export function ip(...words: string[]): string {
  try {
    return execFileSync('ip', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: string }
    if (code === 'ENOENT') throw new CommandError('vnet lab: there is no ip command; install iproute2')
    throw new CommandError(`vnet lab: ip ${words.join(' ')}: ${(stderr ?? '').trim() || 'failed'}`)
  }
}

/** Why a lab cannot be made here, or null. */
export function labProblem(): string | null {
  if (process.platform !== 'linux') return `network namespaces are of Linux, this is ${process.platform}`
  if (process.getuid?.() !== 0) return 'making network namespaces needs root: sudo ./vnet lab up'
  if (!existsSync('/dev/net/tun'))
    return 'there is no /dev/net/tun: modprobe tun, or give the container that device'
  try {
    execFileSync('ip', ['-V'], { stdio: 'ignore' })
  } catch {
    return 'there is no ip command; install iproute2'
  }
  return null
}
