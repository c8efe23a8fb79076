// Walks a Merkle Patricia proof (Ethereum yellow paper, appendix D) from the root down the path keccak(key).
import { ethers } from 'ethers'

const nibblesOf = (hex) => [...hex.slice(2)].map((digit) => parseInt(digit, 16))

// Hex-prefix encoding: the flag's second bit marks a leaf, its lowest an odd number of nibbles.
function pathOf(encoded) {
  const nibbles = nibblesOf(encoded)
  return { isLeaf: nibbles[0] >= 2, path: nibbles.slice(nibbles[0] % 2 === 1 ? 1 : 2) }
}

// The RLP value under the key, or null if the proof shows that there is none. Throws if a node is not the one named.
export function proofValue(root, key, proof) {
  const path = nibblesOf(ethers.keccak256(key))
  const rest = [...proof]
  let node = null
  let reference = root
  for (;;) {
    if (typeof reference === 'string') {
      if (reference === '0x') return null
      const encoded = rest.shift()
      if (encoded === undefined && reference === ethers.keccak256('0x80')) return null
      if (encoded === undefined) throw new Error('the proof ends early')
      if (ethers.keccak256(encoded) !== reference) throw new Error('a node of the proof has another hash')
      node = ethers.decodeRlp(encoded)
    } else {
      node = reference // a node of under 32 bytes stands inside its parent
    }
    if (node.length === 17) {
      if (path.length === 0) return node[16]
      reference = node[path.shift()]
      continue
    }
    const { isLeaf, path: part } = pathOf(node[0])
    const matches = part.every((nibble, i) => nibble === path[i])
    if (isLeaf) return matches && part.length === path.length ? node[1] : null
    if (!matches) return null
    path.splice(0, part.length)
    reference = node[1]
  }
}
