/**
 * Ethernet frames as they stand on the wire: parse, build, check and print them, and read and write captures.
 *
 * Offsets are in bytes over a `Uint8Array`. Numbers are in host order, big-endian only in the bytes. Whatever the
 * bytes are, parsers answer: null, or a `truncated` mark, never an exception and never a byte outside the range.
 * Builders refuse wrong fields with a RangeError. No dependencies; runs in browsers.
 *
 * @packageDocumentation
 */
export * from './arp.ts'
export { getUnalignedBe16, getUnalignedBe32, putUnalignedBe16, putUnalignedBe32 } from './bytes.ts'
export * from './checksum.ts'
export * from './classify.ts'
export * from './dissect.ts'
export * from './eth.ts'
export * from './ethertype.ts'
export { type IcmpFields, type IcmpHeader, ICMP_HLEN, IcmpType, buildIcmp, parseIcmp } from './icmp.ts'
export * from './icmpv6.ts'
export * from './ip-protocol.ts'
export * from './ipv4.ts'
export * from './ipv4-address.ts'
export * from './ipv6.ts'
export * from './ipv6-address.ts'
export * from './ipv6-extension.ts'
export * from './llc.ts'
export * from './lldp.ts'
export {
  ETH_ALEN,
  etherAddrEqual,
  formatMac,
  isBroadcastEtherAddr,
  isLocalEtherAddr,
  isMulticastEtherAddr,
  isValidEtherAddr,
  isZeroEtherAddr,
  MAC_BROADCAST,
  MAC_ZERO,
  type MacAddress,
  parseMac,
  putMac,
} from './mac.ts'
export * from './ndisc.ts'
export * from './tcp.ts'
export * from './tcp-options.ts'
export * from './udp.ts'
export * from './verify.ts'
export * from './vlan.ts'

export * from './frames/arp.ts'
export * from './frames/echo.ts'
export * from './frames/hello.ts'
export { type IpAddress, type IpFrameFields, isIpv6Address } from './frames/ip.ts'
export * from './frames/neighbour.ts'
export * from './frames/transport.ts'

export { type RelativeNumbers, TcpFlows } from './format/flows.ts'
export { formatFrame, type FormatOptions } from './format/format-frame.ts'
export { hexDump } from './format/hex.ts'
export { tcpFlagLetters } from './format/tcp.ts'
export { formatTime, type TimeStyle } from './format/time.ts'

export { CaptureError, type CaptureErrorReason } from './capture/error.ts'
export { CaptureFrame, type CaptureInterface, LINKTYPE_ETHERNET, MAXIMUM_SNAPLEN } from './capture/frame.ts'
export { PcapWriter, type PcapWriterOptions } from './capture/pcap-writer.ts'
export { type PcapngInterface, PcapngWriter, type PcapngWriterOptions } from './capture/pcapng-writer.ts'
export { CaptureReader, type CaptureReaderOptions, readCapture } from './capture/reader.ts'
