import type { Output } from './records.ts'

/** Something that runs one simple command: words, no shell. */
export interface World {
  run(argv: readonly string[], stdin?: string): Promise<Output>
  /** Lets time pass. */
  sleep(seconds: number): Promise<void>
  /** Starts a command that goes on, and gives what it printed once it is told to end. */
  background(argv: readonly string[]): { done(): boolean; end(): Promise<Output> }
}

const empty: Output = { stdout: '', stderr: '', exitCode: 0 }
const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '')

/**
 * The little of a shell that the transcripts' commands need: `;`, `$(cat …)` in a loop over a folder's files, `>`,
 * `grep`, `find`, and a ping beside a tcpdump.
 */
export class Shell {
  readonly #world: World

  constructor(world: World) {
    this.#world = world
  }

  async run(command: string): Promise<Output> {
    const files = /^cd (\S+) && for f in \*; do (\[ -f \$f \] && )?(.*)done$/.exec(command)
    if (files !== null) return await this.#eachFile(files[1]!, files[2] !== undefined)
    const queues = /^cd (\S+) && for q in \*/.exec(command)
    if (queues !== null) return await this.#eachQueueFile(queues[1]!)
    if (command.startsWith('( sleep')) return await this.#pingBesideTcpdump(command)
    if (command.includes('; ')) return await this.#sequence(command.split('; '))
    return await this.#simple(words(command))
  }

  async #simple(argv: readonly string[]): Promise<Output> {
    const [name, ...rest] = argv
    if (name === 'timeout') return await this.#timeout(Number(rest[0]), rest.slice(1))
    if (name === 'echo') return await this.#redirect(argv)
    if (name === 'grep') return await this.#grep(rest)
    if (name === 'find') return await this.#find(rest[0]!)
    const glob = argv.findIndex((word) => word.endsWith('/*'))
    if (glob < 0) return await this.#world.run(argv)
    const folder = argv[glob]!.slice(0, -1)
    const found = await this.#list(folder)
    return await this.#world.run([...argv.slice(0, glob), ...found.map((file) => folder + file)])
  }

  /** As busybox has it: the exit code is the command's, also when it was ended. */
  async #timeout(seconds: number, argv: readonly string[]): Promise<Output> {
    const running = this.#world.background(argv)
    for (let left = seconds; left > 0 && !running.done(); left -= 0.1) await this.#world.sleep(0.1)
    return await running.end()
  }

  async #sequence(commands: readonly string[]): Promise<Output> {
    let all = empty
    for (const command of commands) {
      const one = await this.run(command)
      all = { stdout: all.stdout + one.stdout, stderr: all.stderr + one.stderr, exitCode: one.exitCode }
    }
    return all
  }

  /** `echo TEXT > FILE`: what the kernel says of it stands in the exit code, as a shell's own `echo` has it. */
  async #redirect(argv: readonly string[]): Promise<Output> {
    const at = argv.indexOf('>')
    const done = await this.#world.run(['tee', argv[at + 1]!], `${argv.slice(1, at).join(' ')}\n`)
    return { ...done, stdout: '' }
  }

  async #grep([pattern, file]: readonly string[]): Promise<Output> {
    const { stdout, stderr, exitCode } = await this.#world.run(['cat', file!])
    const found = lines(stdout).filter((line) => line.includes(pattern!))
    if (exitCode !== 0) return { stdout, stderr, exitCode }
    return {
      stdout: found.map((line) => `${line}\n`).join(''),
      stderr: '',
      exitCode: found.length > 0 ? 0 : 1,
    }
  }

  async #list(folder: string): Promise<string[]> {
    return lines((await this.#world.run(['ls', folder])).stdout)
  }

  async #isFolder(path: string): Promise<boolean> {
    return (await this.#world.run(['ls', `${path}/`])).exitCode === 0
  }

  async #eachFile(folder: string, filesOnly: boolean): Promise<Output> {
    let stdout = ''
    for (const file of await this.#list(folder)) {
      if (filesOnly && (await this.#isFolder(`${folder}/${file}`))) continue
      const { text, code } = await this.#read(`${folder}/${file}`)
      stdout += filesOnly ? `${file}: ${text} (rc=${code})\n` : `${file} ${text}\n`
    }
    return { ...empty, stdout }
  }

  /** `$(cat FILE 2>&1)`: without the newlines at its end. */
  async #read(path: string): Promise<{ text: string; code: number }> {
    const { stdout, stderr, exitCode } = await this.#world.run(['cat', path])
    return {
      text: (stdout + stderr).replace(/\n+$/, '').replace(`cat: ${path}: `, 'cat: read error: '),
      code: exitCode,
    }
  }

  async #eachQueueFile(folder: string): Promise<Output> {
    let stdout = ''
    for (const queue of await this.#list(folder)) {
      for (const file of (await this.#tree(`${folder}/${queue}`, 3)).filter((one) => !one.folder)) {
        const { text, code } = await this.#read(file.path)
        stdout += `${file.path.slice(folder.length + 1)}: ${text} (rc=${code})\n`
      }
    }
    return { ...empty, stdout }
  }

  async #find(root: string): Promise<Output> {
    const paths = (await this.#tree(root.replace(/\/$/, ''), 3)).map(({ path }) => path)
    return {
      ...empty,
      stdout: [root, ...paths]
        .sort()
        .map((path) => `${path}\n`)
        .join(''),
    }
  }

  /** What is below a folder, in the order of names; links are not followed. */
  async #tree(folder: string, depth: number): Promise<{ path: string; folder: boolean }[]> {
    const found: { path: string; folder: boolean }[] = []
    for (const name of await this.#list(folder)) {
      const path = `${folder}/${name}`
      const link = (await this.#world.run(['readlink', path])).exitCode === 0
      const isFolder = !link && (await this.#isFolder(path))
      found.push({ path, folder: isFolder })
      if (isFolder && depth > 1) found.push(...(await this.#tree(path, depth - 1)))
    }
    return found
  }

  async #pingBesideTcpdump(command: string): Promise<Output> {
    const tcpdump = words(/timeout \d+ (tcpdump.*); wait/.exec(command)![1]!)
    const running = this.#world.background(tcpdump)
    await this.#world.sleep(0.5)
    await this.#world.run(words(/(ping [^>]*) >/.exec(command)![1]!))
    await this.#world.sleep(4)
    return await running.end()
  }
}

/** Words at blanks; quotes of either kind keep blanks. */
export function words(line: string): string[] {
  const found = line.match(/'[^']*'|"[^"]*"|[^\s'"]+/g) ?? []
  return found.map((word) => (/^(['"]).*\1$/.test(word) ? word.slice(1, -1) : word))
}
