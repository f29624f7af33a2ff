/** Requests of `ioctl` on any socket. @kernel SIOCGIFNAME include/uapi/linux/sockios.h */
export const Sioc = {
  GIFNAME: 0x8910,
  GIFCONF: 0x8912,
  GIFFLAGS: 0x8913,
  SIFFLAGS: 0x8914,
  GIFADDR: 0x8915,
  SIFADDR: 0x8916,
  GIFDSTADDR: 0x8917,
  SIFDSTADDR: 0x8918,
  GIFBRDADDR: 0x8919,
  SIFBRDADDR: 0x891a,
  GIFNETMASK: 0x891b,
  SIFNETMASK: 0x891c,
  GIFMETRIC: 0x891d,
  SIFMETRIC: 0x891e,
  GIFMTU: 0x8921,
  SIFMTU: 0x8922,
  SIFNAME: 0x8923,
  SIFHWADDR: 0x8924,
  GIFHWADDR: 0x8927,
  ADDMULTI: 0x8931,
  DELMULTI: 0x8932,
  GIFINDEX: 0x8933,
  GIFTXQLEN: 0x8942,
  SIFTXQLEN: 0x8943,
  ETHTOOL: 0x8946,
  GMIIPHY: 0x8947,
  GMIIREG: 0x8948,
  GIFMAP: 0x8970,
  SHWTSTAMP: 0x89b0,
  GHWTSTAMP: 0x89b1,
} as const

/** Bytes of `struct ifreq` on 64-bit machines. @kernel struct ifreq include/uapi/linux/if.h */
export const IFREQ_LEN = 40
/** Where its second part begins. */
export const IFR_DATA = 16
