import { it } from 'vitest'
import { MachinePair } from './pair.ts'
it('tries', () => {
  const pair = new MachinePair()
  for (const line of [
    'ping -c 1 10.0.0.2','ping -c 2 10.0.0.9','ping -I vnet0 -c 1 10.0.0.9','ping -c 1 192.168.0.1','ping -c 1 10.0.0.255','ping -b -c 1 -W 1 10.0.0.255',
    'ping -s 1473 -M do -c 1 -W 1 10.0.0.2','ping -s 1472 -M do -c 1 10.0.0.2','ping -f -c 5 10.0.0.2','ping -f -c 5 10.0.0.9','ping -q -c 2 -i 0.2 10.0.0.2',
    'ping -c 2 -i 0.2 10.0.0.1','ping -I 10.0.0.1 -c 1 10.0.0.2','ping -I vnet0 -c 1 10.0.0.2','ping -I nodev -c 1 10.0.0.2','ping -I nodev -c 1 ::1','ping -I 10.9.9.9 -c 1 10.0.0.2',
    'ping -I lo -c 1 -W 1 10.0.0.2','ping -c 1 fe80::ff:fe00:2%vnet0','ping -c 1 fe80::9%vnet0','ping -I vnet0 -c 1 fe80::ff:fe00:2','ping -c 1 fe80::2%nodev','ping -c 1 -I fe80::ff:fe00:1%vnet0 fe80::ff:fe00:2',
    'ping -c 1 -I fe80::ff:fe00:1 fe80::ff:fe00:2',
    'ping -c 2 -i 0.2 -W 1 ff02::1%vnet0','ping -s 1453 -M do -c 1 -W 1 fe80::ff:fe00:2%vnet0','ping -s 2000 -c 1 fe80::ff:fe00:2%vnet0','ping -c 1 2001:db8::1','ping -c 1 -W 1 224.0.0.1','ping -c 1 -I vnet0 -W 1 224.0.0.1',
    'ping -s 0 -c 1 10.0.0.2','ping -s 65507 -c 1 10.0.0.2','ping -s 65508 -c 1 10.0.0.2','ping -w 1 -c 10 -i 0.3 10.0.0.2','ping -w 4 10.0.0.9','ping -w 1 10.0.0.9','ping -O -c 2 -i 0.3 -W 1 10.0.0.9','ping -c 1 -t 0 10.0.0.1','ping -c 1 0','ping -c 1 127.1','ping -l 3 -c 3 10.0.0.2','ping -p ff00 -c 1 10.0.0.2','ping -c 1 ::1','ping -c 1 -D 10.0.0.2','ping -c 1 -t 1 10.0.0.2', 'ping -Z 1', 'ping -c 1 -I vnet0 10.5.0.1',
    'ping -c 1 -W 1 fe80::1','ping -c 3 -q -l 3 10.0.0.9','ping -M do -f -s 1473 -c 2 -W 1 10.0.0.2','ping -4 -c 1 ::1','ping -6 -c 1 127.0.0.1','ping localhost -c 1','ping -6 localhost -c 1',
    'arping 10.0.0.2 -c 2','arping -I vnet0 -c 2 10.0.0.9','arping -I vnet0 -f -c 3 10.0.0.2','arping -I vnet0 -b -c 2 10.0.0.2','arping -I vnet0 -q -c 1 10.0.0.2','arping -I vnet0 -D -c 2 10.0.0.2','arping -I vnet0 -D -c 1 10.0.0.9','arping -I vnet0 -U -c 1 10.0.0.1','arping -I vnet0 -A -c 1 10.0.0.1','arping -I vnet0 -c 1 -s 10.0.0.9 10.0.0.2','arping -I nodev -c 1 10.0.0.2','arping -I lo -c 1 127.0.0.1','arping -I vnet0 -c 0 10.0.0.2','arping -I vnet0 -c 1 10.9.9.9','arping -I vnet0 -w 1 10.0.0.9','arping -I vnet0 -w 1 10.0.0.2','arping','arping -I vnet0 -U -c 1 10.0.0.9',
  ]) {
    let r
    try { r = pair.run(line) } catch (e) { console.log(`$ ${line}\nTHROWN ${(e as Error).message}`); continue }
    console.log(`$ ${line}\n${r.stderr}--\n${r.stdout}=> ${r.exitCode}`)
  }
})
