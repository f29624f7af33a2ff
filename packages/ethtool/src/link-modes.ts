/** What a bit of a link mode set means. */
export interface LinkMode {
  readonly name: string
  /** `'real'` modes have speed, duplex and lanes. */
  readonly kind: 'real' | 'autoneg' | 'port' | 'pause' | 'fec'
  /** Mb/s; 0 for all but real modes. */
  readonly speed: number
  readonly duplex: 'half' | 'full'
  readonly lanes: number
}

const SPECIAL: Readonly<Record<string, LinkMode['kind']>> = {
  Autoneg: 'autoneg',
  TP: 'port',
  AUI: 'port',
  MII: 'port',
  FIBRE: 'port',
  BNC: 'port',
  Backplane: 'port',
  Pause: 'pause',
  Asym_Pause: 'pause',
  None: 'fec',
  RS: 'fec',
  BASER: 'fec',
  LLRS: 'fec',
}

// The order is the interface: the place of a mode is its bit.
const NAMES = `
10baseT/Half 10baseT/Full 100baseT/Half 100baseT/Full 1000baseT/Half 1000baseT/Full Autoneg TP AUI MII FIBRE BNC
10000baseT/Full Pause Asym_Pause 2500baseX/Full Backplane 1000baseKX/Full 10000baseKX4/Full 10000baseKR/Full
10000baseR_FEC 20000baseMLD2/Full 20000baseKR2/Full 40000baseKR4/Full 40000baseCR4/Full 40000baseSR4/Full
40000baseLR4/Full 56000baseKR4/Full 56000baseCR4/Full 56000baseSR4/Full 56000baseLR4/Full 25000baseCR/Full
25000baseKR/Full 25000baseSR/Full 50000baseCR2/Full 50000baseKR2/Full 100000baseKR4/Full 100000baseSR4/Full
100000baseCR4/Full 100000baseLR4_ER4/Full 50000baseSR2/Full 1000baseX/Full 10000baseCR/Full 10000baseSR/Full
10000baseLR/Full 10000baseLRM/Full 10000baseER/Full 2500baseT/Full 5000baseT/Full None RS BASER 50000baseKR/Full
50000baseSR/Full 50000baseCR/Full 50000baseLR_ER_FR/Full 50000baseDR/Full 100000baseKR2/Full 100000baseSR2/Full
100000baseCR2/Full 100000baseLR2_ER2_FR2/Full 100000baseDR2/Full 200000baseKR4/Full 200000baseSR4/Full
200000baseLR4_ER4_FR4/Full 200000baseDR4/Full 200000baseCR4/Full 100baseT1/Full 1000baseT1/Full 400000baseKR8/Full
400000baseSR8/Full 400000baseLR8_ER8_FR8/Full 400000baseDR8/Full 400000baseCR8/Full LLRS 100000baseKR/Full
100000baseSR/Full 100000baseLR_ER_FR/Full 100000baseCR/Full 100000baseDR/Full 200000baseKR2/Full 200000baseSR2/Full
200000baseLR2_ER2_FR2/Full 200000baseDR2/Full 200000baseCR2/Full 400000baseKR4/Full 400000baseSR4/Full
400000baseLR4_ER4_FR4/Full 400000baseDR4/Full 400000baseCR4/Full 100baseFX/Half 100baseFX/Full 10baseT1L/Full`

/** All link modes; a mode's place is its bit. @kernel link_mode_names net/ethtool/common.c */
export const LINK_MODES: readonly LinkMode[] = NAMES.trim().split(/\s+/).map(describe)

/** The names of all link modes, by bit. @kernel link_mode_names net/ethtool/common.c */
export const LINK_MODE_NAMES: readonly string[] = LINK_MODES.map((mode) => mode.name)

function describe(name: string): LinkMode {
  const duplex = name.endsWith('/Half') ? 'half' : 'full'
  const kind = SPECIAL[name]
  if (kind !== undefined) return { name, kind, speed: 0, duplex, lanes: 0 }
  // The digit of KR4 or LR4_ER4 counts lanes; the one of T1 does not.
  const lanes = /base(?:[A-SU-Z][A-Z]*|MLD)(\d)/.exec(name)?.[1]
  return { name, kind: 'real', speed: parseInt(name, 10), duplex, lanes: Number(lanes ?? 1) }
}

/**
 * A set of link modes as bits, from their names.
 *
 * @throws RangeError a name nobody knows
 * @kernel ethtool_link_ksettings_add_link_mode() include/linux/ethtool.h
 */
export function linkModes(...names: readonly string[]): bigint {
  let bits = 0n
  for (const name of names) {
    const bit = LINK_MODE_NAMES.indexOf(name)
    if (bit < 0) throw new RangeError(`no link mode ${name}`)
    bits |= 1n << BigInt(bit)
  }
  return bits
}

/** The modes that have a speed, as bits. @kernel none */
export const REAL_LINK_MODES = linkModes(
  ...LINK_MODES.filter(({ kind }) => kind === 'real').map(({ name }) => name),
)

/** Says whether a set has a mode. @kernel ethtool_link_ksettings_test_link_mode() include/linux/ethtool.h */
export function hasLinkMode(bits: bigint, name: string): boolean {
  const bit = LINK_MODE_NAMES.indexOf(name)
  return bit >= 0 && ((bits >> BigInt(bit)) & 1n) === 1n
}
