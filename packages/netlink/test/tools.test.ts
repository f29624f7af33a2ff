import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { genlFind } from '../src/index.ts'
import { card } from './card.ts'
import { makeRig, saidIn } from './rig.ts'

interface Recorded {
  readonly command: string
  readonly requests: readonly { readonly protocol: number; readonly hex: string }[]
}

const RECORDED = JSON.parse(
  readFileSync(new URL('fixtures/tool-requests.json', import.meta.url), 'utf8'),
) as readonly Recorded[]

/** What each command's requests were answered with: 'ok', or the errno and the sentence. */
function play({ requests }: Recorded): string[] {
  const { server } = makeRig(card(), (dev) => {
    dev.name = 'lo'
    dev.ifindex = 1
  })
  const id = genlFind(server, 'ethtool')!.id
  return requests.map(({ protocol, hex }) => {
    const bytes = Uint8Array.from(Buffer.from(hex, 'hex'))
    // The recording kernel had given the ethtool family another number.
    if (protocol === 16 && bytes[4]! > 16) bytes[4] = id
    // … and `-I` asks for the policy of that number.
    if (protocol === 16 && bytes[4] === 16 && bytes[16] === 10) bytes[24] = id
    const socket = server.socket(protocol)
    socket.bind(0)
    socket.extAck = true
    socket.strictCheck = true
    socket.send(bytes)
    let said = ''
    for (let got = socket.recv(); got !== null; got = socket.recv()) {
      if (got.bytes[4] !== 2) continue
      const { errno, message, offset } = saidIn(got.bytes)
      if (errno !== 0) said = [errno, message, offset].filter((part) => part !== undefined).join(' ')
    }
    return said === '' ? 'ok' : said
  })
}

it('x', () => { for (const r of RECORDED) console.log(r.command, JSON.stringify(play(r))) ; expect(1).toBe(1) })
