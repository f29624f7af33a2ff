import type { Program } from '../proc/process.ts'

const HELP: Readonly<Record<string, string>> = {
  cat: 'cat [FILE…]\n\nPrints files of the machine; - is the input.',
  dmesg:
    'dmesg [-w] [-W] [-t] [-T] [-x] [-l LEVELS] [-c] [-C]\n\n' +
    'Prints the kernel log.\n\n' +
    '  -w, --follow      and go on with what comes\n' +
    '  -W, --follow-new  only what comes\n' +
    '  -t, --notime      no times\n' +
    '  -T, --ctime       times as dates\n' +
    '  -x, --decode      facility and level in words\n' +
    '  -l, --level LIST  only these levels: emerg,alert,crit,err,warn,notice,info,debug\n' +
    '  -c, --read-clear  print it, then clear it\n' +
    '  -C, --clear       clear it',
  insmod:
    'insmod NAME|FILE [PARAMETER=VALUE…]\n\nLoads a module: vnet, or a file of your own. modinfo says which parameters there are.',
  ls: 'ls [-l] [-a] [-d] [-1] [FILE…]\n\nLists files of the machine.',
  lsmod: 'lsmod\n\nLists the modules that are loaded.',
  modinfo: 'modinfo NAME|FILE…\n\nSays what a module is and which parameters it takes.',
  readlink: 'readlink [-f] [-n] FILE…\n\nPrints where a link points; with -f the whole path without links.',
  rmmod: 'rmmod NAME…\n\nUnloads modules.',
  tee: 'tee [-a] [FILE…]\n\nWrites the input to files of the machine, and prints it; with -a behind what is there.',
  uname: 'uname [-a] [-s] [-n] [-r] [-v] [-m] [-o]\n\nSays what the machine is.',
}

/** What `NAME --help` prints, for programs that have only this: null for others. @kernel none */
export function helpOf(name: string): string | null {
  const text = HELP[name]
  return text === undefined ? null : `Usage: ${text}\n`
}

/** The program, which says how it is used when its first word is `--help`. @kernel none */
export function withHelp(program: Program): Program {
  return function* (process) {
    const text = process.argv[1] === '--help' ? helpOf(process.argv[0] ?? '') : null
    if (text === null) return yield* program(process)
    process.stdout(text)
    return 0
  }
}
