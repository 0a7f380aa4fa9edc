// Suite 0x0001 of RFC 9420 (X25519, AES-128-GCM, SHA-256, Ed25519) for ts-mls. Hashes, MACs and signatures run
// on our primitives: WebCrypto imports the key anew for every signature, which costs more than checking it.
import { type CiphersuiteImpl, getCiphersuiteFromName, getCiphersuiteImpl } from 'ts-mls'
import type { Primitives } from '../kernel/primitives.ts'

export const SUITE_NAME = 'MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519'

/** The suite over the given primitives; HPKE stays the library's. */
export async function createSuite(primitives: Primitives): Promise<CiphersuiteImpl> {
  const suite = await getCiphersuiteImpl(getCiphersuiteFromName(SUITE_NAME))
  return {
    ...suite,
    hash: {
      digest: async (data) => primitives.sha256(data),
      mac: async (key, data) => primitives.hmac(key, data),
      verifyMac: async (key, mac, data) => primitives.equal(primitives.hmac(key, data), mac)
    },
    signature: {
      sign: async (seed, message) => primitives.sign(seed, message),
      verify: async (publicKey, message, signature) =>
        primitives.verify(publicKey, message, signature),
      keygen: () => Promise.reject(new Error('a leaf signs with its device key'))
    }
  }
}
