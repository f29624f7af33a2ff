import {
  CHECKSUM_COMPLETE,
  CHECKSUM_UNNECESSARY,
  ETH_P_8021Q,
  ETH_P_IP,
  FEATURE_NAMES,
  NETDEV_TX_OK,
  NETIF_F,
  NETIF_F_CSUM_MASK,
  NETIF_F_NEVER_CHANGE,
  NET_RX_SUCCESS,
  PktFeature,
  allocEtherdevMqs,
  consumeSkb,
  csumPartial,
  devAddPack,
  devOpen,
  devQueueXmit,
  ethHwAddrSet,
  freeNetdev,
  netdevFixFeatures,
  netdevSetWantedFeatures,
  netdevUpdateFeatures,
  netifTxStartAllQueues,
  pagePoolDestroy,
  registerNetdev,
  skbBytes,
  unregisterNetdev,
  type NetdevFeatures,
} from '@vnet/netdev'
import { icmpEcho, verifyChecksums } from '@vnet/wire'
import type { Check } from '../check.ts'
import { testFrame } from '../frames.ts'
import { MS, type Testbed } from '../testbed.ts'
import {
  fragSkb,
  gsoSkb,
  ipFrame,
  partialSkb,
  payloadOf,
  sendSkb,
  skbOf,
  type PacketKind,
} from './packets.ts'

/** The features a user may change on the device. */
function changeable(t: Testbed): NetdevFeatures {
  return t.dev.hwFeatures & ~NETIF_F_NEVER_CHANGE
}

function want(t: Testbed, mask: NetdevFeatures, on: boolean): void {
  const safe = mask & changeable(t)
  t.kernel.rtnl.run(() => netdevSetWantedFeatures(t.dev, safe, on ? safe : 0n))
}

/** Each changeable feature, one bit at a time. */
function eachFeature(t: Testbed): { name: string; mask: NetdevFeatures }[] {
  return FEATURE_NAMES.filter((f) => (f.mask & changeable(t)) !== 0n)
}

function namesOf(features: NetdevFeatures): string[] {
  return FEATURE_NAMES.filter((f) => (f.mask & features) !== 0n).map((f) => f.name)
}

/** What can be on together, as the rule states it: without `need`, or together with `not`, there is no `feature`. */
const F = NETIF_F
const DEPENDENCIES: readonly (readonly [feature: NetdevFeatures, others: NetdevFeatures, good: boolean])[] = [
  [F.TSO, F.SG | F.HW_CSUM, true], [F.TSO, F.HW_CSUM, false], [F.TSO, F.SG, false], [F.TSO6, F.SG | F.IPV6_CSUM, true],
  [F.TSO6, F.SG | F.IP_CSUM, false], [F.GSO, F.SG, true], [F.GSO, 0n, false], [F.GRO_HW, F.RXCSUM, true], [F.GRO_HW, 0n, false],
  [F.LRO, F.RXFCS, false], [F.GRO_HW, F.RXCSUM | F.RXFCS, false], [F.LRO, F.GRO_HW | F.RXCSUM, false], [F.IP_CSUM, F.HW_CSUM, false],
  [F.IPV6_CSUM, F.HW_CSUM, false], [F.LRO, 0n, true],
] // prettier-ignore

/** Features. @kernel none */
const featureChecks: readonly Check[] = [
  {
    id: 'FEAT-01',
    title: 'leaves the features that are on to the core',
    run(t) {
      t.start()
      const before = t.dev.features
      t.sendMany(3)
      t.inject(3)
      t.run(MS)
      t.down()
      t.up()
      t.equal(namesOf(t.dev.features), namesOf(before), 'features on after down and up, nobody having asked')
      for (const { mask } of eachFeature(t)) want(t, mask, (t.dev.wantedFeatures & mask) === 0n)
      t.expect(!t.kernel.violations.some((v) => v.rule === 'FEAT-01'), 'it wrote dev.features itself')
    },
  },
  {
    id: 'FEAT-02',
    title: 'only computes in ndoFixFeatures',
    run(t) {
      t.start()
      const { dev, kernel } = t
      kernel.rtnl.run(() => netdevUpdateFeatures(dev))
      const fix = dev.ops.ndoFixFeatures
      const state = (): string =>
        [dev.features, dev.hwFeatures, dev.wantedFeatures, dev.vlanFeatures, dev.mtu, dev.flags].join()
      const before = state()
      const results = new Set<string>()
      kernel.rtnl.run(() => {
        for (let n = 0; n < 99; n++) results.add(String(fix?.(dev, dev.wantedFeatures) ?? 0n))
      })
      t.equal(
        [state() === before, results.size],
        [true, 1],
        'state unchanged by 99 calls, and different answers',
      )
    },
  },
  {
    id: 'FEAT-03',
    title: 'never has a feature on that nobody wanted',
    run(t) {
      t.start()
      const { dev, kernel } = t
      const always = dev.features & ~changeable(t)
      const features = eachFeature(t)
      for (let n = 0; n < 50; n++) {
        const on = features.filter(() => kernel.rng.below(2) === 0).reduce((sum, f) => sum | f.mask, 0n)
        kernel.rtnl.run(() => netdevSetWantedFeatures(dev, changeable(t), on))
        t.equal(
          namesOf(dev.features & ~(on | always)),
          [],
          `on and not wanted, with ${namesOf(on).join(', ')} wanted`,
        )
      }
    },
  },
  {
    id: 'FEAT-04',
    title: 'has no features on that exclude each other or lack what they need',
    run(t) {
      t.start()
      const { dev } = t
      for (const [feature, others, good] of DEPENDENCIES) {
        const left = (netdevFixFeatures(feature | others) & feature) !== 0n
        t.equal(
          left,
          good,
          `${namesOf(feature).join()} may be on with ${namesOf(others).join(', ') || 'nothing else'}`,
        )
      }
      for (const { name, mask } of eachFeature(t)) {
        for (const on of [true, false, true]) {
          want(t, mask, on)
          t.equal(
            namesOf(dev.features & ~netdevFixFeatures(dev.features)),
            [],
            `impossible features with ${name} ${on ? 'on' : 'off'}`,
          )
        }
      }
    },
  },
  {
    id: 'FEAT-05',
    title: 'has one notice sent for each change of the features in force, and none for no change',
    run(t) {
      t.start()
      const { dev } = t
      for (const { name, mask } of eachFeature(t)) {
        for (const on of [false, false, true, true]) {
          const before = dev.features
          t.notices.length = 0
          want(t, mask, on)
          const sent = t.notices.filter((notice) => notice.startsWith('NETDEV_FEAT_CHANGE')).length
          t.equal(
            sent,
            dev.features === before ? 0 : 1,
            `notices when ${name} was asked ${on ? 'on' : 'off'}`,
          )
        }
      }
    },
  },
  ...([true, false] as const).map((on): Check => ({
    id: 'FEAT-06',
    title: `sends fragments, large packets and tags rightly with every feature ${on ? 'on' : 'off'}`,
    run(t) {
      t.start()
      want(t, changeable(t), on)
      const rest = [payloadOf(100, 1), payloadOf(200, 2), payloadOf(50, 3)]
      const { skb, pool } = fragSkb(t, testFrame(64, 5), rest)
      sendSkb(t, skb)
      t.run(MS)
      pagePoolDestroy(pool)
      t.equal(
        Array.from(t.cable.wire.at(-1) ?? []),
        [...testFrame(64, 5), ...rest.flatMap((r) => [...r])],
        'a frame in fragments',
      )
      const payload = payloadOf(2500)
      sendSkb(t, gsoSkb(t, payload, 1000))
      t.run(MS)
      const parts = t.cable.wire.slice(1)
      t.equal(
        parts.map((f) => f.length - 54),
        [1000, 1000, 500],
        'payload of the segments of a large packet',
      )
      t.equal(parts.flatMap((f) => [...f.subarray(54)]).join(), payload.join(), 'the payload of all of them')
      const tagged = skbOf(t, testFrame(60, 6))
      Object.assign(tagged, { vlanPresent: true, vlanTci: 7, vlanProto: ETH_P_8021Q })
      sendSkb(t, tagged)
      t.run(MS)
      t.equal(
        Array.from((t.cable.wire.at(-1) ?? new Uint8Array(16)).subarray(12, 16)),
        [0x81, 0, 0, 7],
        'the VLAN tag on the wire',
      )
    },
  })),
  {
    id: 'FEAT-07',
    title: 'only withdraws features in ndoFeaturesCheck',
    run(t) {
      t.start()
      const { dev } = t
      const check = dev.ops.ndoFeaturesCheck
      if (check === undefined) return t.skip('the driver has no ndoFeaturesCheck')
      const skb = partialSkb(t, { v6: false, tcp: true, payload: payloadOf(10) })
      for (const features of [0, dev.pktFeatures, PktFeature.SG, PktFeature.HW_CSUM | PktFeature.SG]) {
        t.equal(check(skb, dev, features) & ~features, 0, `features added to ${features}`)
      }
      consumeSkb(skb)
    },
  },
  {
    id: 'FEAT-07',
    title: 'has what ndoFeaturesCheck withdraws done in software',
    run(t) {
      // The core alone: a device of the kit whose card sums everything but small packets.
      const sent: Uint8Array[] = []
      const dev = allocEtherdevMqs(t.kernel, {
        name: 'kit%d',
        priv: () => null,
        ops: {
          ndoOpen: (d) => netifTxStartAllQueues(d),
          ndoFeaturesCheck: (skb, _dev, features) =>
            skb.len < 100 ? features & ~PktFeature.CSUM_MASK : features,
          ndoStartXmit(skb) {
            sent.push(skbBytes(skb))
            consumeSkb(skb)
            return NETDEV_TX_OK
          },
        },
      })
      ethHwAddrSet(dev, Uint8Array.of(2, 0, 0, 0, 0, 9))
      dev.features = dev.hwFeatures = NETIF_F.HW_CSUM
      registerNetdev(dev)
      t.kernel.rtnl.run(() => devOpen(dev))
      t.create()
      for (const length of [10, 500]) {
        const skb = partialSkb(t, { v6: false, tcp: true, payload: payloadOf(length) })
        skb.dev = dev
        devQueueXmit(skb)
      }
      unregisterNetdev(dev)
      freeNetdev(dev)
      t.equal(
        sent.map((f) => verifyChecksums(f).l4),
        ['good', 'bad'],
        'checksums of a packet withdrawn from the card, and of one left to it',
      )
    },
  },
]

const KINDS: readonly PacketKind[] = [false, true].flatMap((v6) =>
  [false, true].flatMap((tcp) =>
    [1, 2, 33, 100, 1001, 1400].map((n) => ({ v6, tcp, payload: payloadOf(n, n) })),
  ),
)

function sendPartial(t: Testbed): void {
  for (const kind of KINDS) {
    sendSkb(t, partialSkb(t, kind))
    t.run(100_000)
    const frame = t.cable.wire.at(-1) ?? new Uint8Array(0)
    const what = `${kind.tcp ? 'TCP' : 'UDP'} over IPv${kind.v6 ? 6 : 4} with ${kind.payload.length} bytes`
    t.expect(frame.length > 0, `${what}: nothing on the wire`)
    const whole = ipFrame(kind)
    t.equal(verifyChecksums(frame, 0, whole.length).l4, 'good', `checksum of ${what}`)
    const field = (kind.v6 ? 54 : 34) + (kind.tcp ? 16 : 6)
    t.equal(
      Array.from(frame.subarray(field, field + 2)),
      Array.from(whole.subarray(field, field + 2)),
      `its bytes, ${what}`,
    )
  }
}

/** Checksums. @kernel none */
const checksumChecks: readonly Check[] = [
  {
    id: 'CSUM-01',
    title: 'sums from csumStart to the end and stores at csumStart + csumOffset',
    run(t) {
      t.start()
      want(t, NETIF_F_CSUM_MASK, true)
      sendPartial(t)
    },
  },
  {
    id: 'CSUM-02',
    title: 'has the checksum made in software when the card does not make it',
    run(t) {
      t.start()
      want(t, NETIF_F_CSUM_MASK, false)
      if ((t.dev.features & NETIF_F_CSUM_MASK) !== 0n) t.skip('its checksum features cannot be switched off')
      sendPartial(t)
    },
  },
  {
    id: 'CSUM-03',
    title: 'marks no corrupt packet good, delivers it, and leaves its bytes alone',
    run(t) {
      t.start()
      const good = ipFrame({ v6: false, tcp: false, payload: payloadOf(100) })
      const bad = good.slice()
      bad[80]! ^= 0x55
      const seen: { ipSummed: number; sumOk: boolean; bytes: string }[] = []
      devAddPack(t.kernel, {
        type: ETH_P_IP,
        dev: t.dev,
        func(skb) {
          const sum = csumPartial(skb.mem, skb.shinfo.i32, skb.data, skb.len)
          seen.push({
            ipSummed: skb.ipSummed,
            sumOk: sum === skb.csum,
            bytes: skb.mem.slice(skb.macHeader, skb.data + skb.len).join(),
          })
          consumeSkb(skb)
          return NET_RX_SUCCESS
        },
      })
      t.inject(good, bad)
      t.run(MS)
      t.equal(seen.length, 2, 'packets delivered, of a good and a corrupt one')
      t.equal(
        [seen[0]!.bytes === good.join(), seen[1]!.bytes === bad.join()],
        [true, true],
        'bytes unchanged: good, corrupt',
      )
      t.expect(seen[1]!.ipSummed !== CHECKSUM_UNNECESSARY, 'the corrupt packet is marked as checked and good')
      for (const s of seen)
        t.expect(s.ipSummed !== CHECKSUM_COMPLETE || s.sumOk, 'a sum was given, and it is wrong')
    },
  },
  {
    id: 'CSUM-04',
    title: 'sends the IP header as the stack summed it',
    run(t) {
      t.start()
      want(t, changeable(t), true)
      const frame = icmpEcho({
        srcMac: '02:00:00:00:ee:01', dstMac: 'ff:ff:ff:ff:ff:ff', src: '10.0.0.1', dst: '10.0.0.2', id: 1, seq: 1,
      }) // prettier-ignore
      t.send(frame)
      t.run(MS)
      const sent = t.cable.wire.at(-1) ?? new Uint8Array(34)
      t.equal(
        Array.from(sent.subarray(14, 34)),
        Array.from(frame.subarray(14, 34)),
        'the IP header on the wire',
      )
      t.equal(verifyChecksums(sent).ip, 'good', 'its checksum')
    },
  },
]

/** Features and checksums. @kernel none */
export const featChecks: readonly Check[] = [...featureChecks, ...checksumChecks]
