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

/** The commands that are not taken as they are: the answer to their last words, and why. */
const REFUSED: Readonly<Record<string, readonly [answer: string, why: string]>> = {
  'ip link set lo carrier off': ['-95', 'a card’s carrier is not set by hand'],
  'ip link del lo': ['-95', 'only what a program made can be deleted'],
  'ip link add dummy0 type dummy': ['-95 Unknown device type', 'no kind of link can be made'],
  'ip addr add 10.0.0.1/24 dev lo': ['-95', 'no protocol stack'],
  'ip route get 10.0.0.1': ['-95', 'no protocol stack'],
  'ethtool -K lo tso off rxhash on': [
    '-95 bit name not found 184',
    'recorded on 6.18, which has tx-tcp-accecn-segmentation; 6.1 has not',
  ],
  'ethtool -C lo rx-usecs 100 adaptive-rx on': [
    '-22 cannot modify an unsupported parameter 40',
    'the card declared only rx-usecs',
  ],
  'ethtool -L lo rx 100': [
    '-22 requested channel count exceeds maximum 32',
    'the card has combined channels only',
  ],
  'ethtool -S lo --all-groups': [
    '-22 cannot modify bits past kernel bitset size 48',
    'recorded on 6.18, which has a fifth group, phydev',
  ],
  'ethtool --show-eee lo': ['-95', 'no card has it'],
  'ethtool --set-eee lo eee on': ['-95', 'no card has it'],
  'ethtool --show-fec lo': ['-95', 'no card has it'],
  'ethtool --set-fec lo encoding rs': ['-95', 'no card has it'],
  'ethtool --set-module lo power-mode-policy auto': ['-95', 'no card has it'],
  'ethtool --show-tunnels lo': ['-95 device does not report tunnel offload info', 'no card has it'],
  'ethtool -m lo': ['-95', 'no card has it'],
  'ethtool --cable-test lo': ['-95', 'no card has it'],
}

const PROBE = /^20000000100005/

describe('the requests of iproute2 6.1 and ethtool 6.1', () => {
  it.each(RECORDED.filter((one) => one.requests.length > 0))('$command', (recorded) => {
    const answers = play(recorded)
    const wanted = recorded.requests.map(({ hex }) =>
      PROBE.test(hex) && /^0+$/.test(hex.slice(32)) ? '-19' : 'ok',
    )
    const refusal = REFUSED[recorded.command]?.[0]
    expect(answers.filter((answer) => answer !== 'ok' && answer !== '-19')).toEqual(
      refusal === undefined ? [] : [refusal],
    )
    for (const [i, answer] of answers.entries()) if (answer !== refusal) expect(answer).toBe(wanted[i])
  })
})
