import { arping } from './arping/arping.ts'
import { ethtool } from './ethtool/main.ts'
import { cat, tee } from './file/cat.ts'
import { dmesg } from './file/dmesg.ts'
import { withHelp } from './file/help.ts'
import { ls, readlinkProgram } from './file/ls.ts'
import { insmod, lsmod, modinfo, rmmod } from './file/modules.ts'
import { sleep } from './file/sleep.ts'
import { hostname, poweroff, unameProgram } from './file/system.ts'
import { ip } from './ip/main.ts'
import { ping } from './ping/ping.ts'
import type { Program } from './proc/process.ts'
import { tc } from './tc/main.ts'
import { tcpdump } from './tcpdump/index.ts'

/** Every program by the name it is called by. @kernel none */
export const programs: Readonly<Record<string, Program>> = {
  arping,
  cat: withHelp(cat),
  dmesg: withHelp(dmesg),
  ethtool,
  hostname,
  insmod: withHelp(insmod),
  ip,
  ls: withHelp(ls),
  lsmod: withHelp(lsmod),
  modinfo: withHelp(modinfo),
  ping,
  ping6: ping,
  poweroff,
  readlink: withHelp(readlinkProgram),
  rmmod: withHelp(rmmod),
  sleep,
  tc,
  tcpdump,
  tee: withHelp(tee),
  uname: withHelp(unameProgram),
}
