package hunks

import (
	"cmp"
	"math/bits"
	"slices"
)

// A bitWriter writes bits, the most significant of a byte first.
type bitWriter struct {
	out  []byte
	acc  uint64
	have uint // bits in acc: less than 8
}

// put writes the n low bits of v, which has no others: at most 32.
func (w *bitWriter) put(v uint32, n uint) {
	w.acc = w.acc<<n | uint64(v)
	for w.have += n; w.have >= 8; w.have -= 8 {
		w.out = append(w.out, byte(w.acc>>(w.have-8)))
	}
}

// end fills the last byte with zeros, and returns all.
func (w *bitWriter) end() []byte {
	if w.have > 0 {
		w.put(0, 8-w.have)
	}
	return w.out
}

// codeLengths returns how many bits the Huffman code of each symbol has, at most maxBits.
// One that does not occur has none.
func codeLengths(counts []uint32, maxBits int) []byte {
	weights := slices.Clone(counts)
	for {
		lengths := huffman(weights)
		if int(slices.Max(lengths)) <= maxBits {
			return lengths
		}
		for i, w := range weights { // rare symbols become less rare
			if w > 0 {
				weights[i] = w/2 + 1
			}
		}
	}
}

// A node is one of a tree that is being built: a symbol, or two nodes together.
type node struct {
	weight uint64
	parent int
}

// huffman returns the lengths of the codes that a tree of all the weights gives.
func huffman(weights []uint32) []byte {
	lengths := make([]byte, len(weights))
	var symbols []int
	for s, w := range weights {
		if w > 0 {
			symbols = append(symbols, s)
		}
	}
	if len(symbols) == 1 {
		lengths[symbols[0]] = 1
	}
	if len(symbols) < 2 {
		return lengths
	}
	slices.SortStableFunc(symbols, func(a, b int) int { return cmp.Compare(weights[a], weights[b]) })
	nodes := make([]node, len(symbols), 2*len(symbols)-1)
	for i, s := range symbols {
		nodes[i].weight = uint64(weights[s])
	}
	// Both the symbols and the pairs come in the order of their weights.
	symbol, pair := 0, len(symbols)
	least := func() int {
		i := symbol
		if i >= len(symbols) || pair < len(nodes) && nodes[pair].weight < nodes[i].weight {
			i = pair
			pair++
			return i
		}
		symbol++
		return i
	}
	for len(nodes) < cap(nodes) {
		a, b := least(), least()
		nodes[a].parent, nodes[b].parent = len(nodes), len(nodes)
		nodes = append(nodes, node{weight: nodes[a].weight + nodes[b].weight})
	}
	depth := make([]byte, len(nodes))
	for i := len(nodes) - 2; i >= 0; i-- {
		depth[i] = depth[nodes[i].parent] + 1
	}
	for i, s := range symbols {
		lengths[s] = depth[i]
	}
	return lengths
}

// canonical returns the codes that symbols of these lengths have, in the order that
// [newTree] gives them.
func canonical(lengths []byte) []uint32 {
	var count, next [33]uint32
	for _, n := range lengths {
		count[n]++
	}
	start := uint32(0)
	for n := len(next) - 1; n > 0; n-- {
		next[n] = start
		start = (start + count[n]) / 2
	}
	codes := make([]uint32, len(lengths))
	for s, n := range lengths {
		if n > 0 {
			codes[s] = next[n]
			next[n]++
		}
	}
	return codes
}

// A coding is a set of Huffman codes to write with.
type coding struct {
	lengths []byte
	codes   []uint32
}

func newCoding(counts []uint32, maxBits int) coding {
	lengths := codeLengths(counts, maxBits)
	return coding{lengths, canonical(lengths)}
}

func (c *coding) put(w *bitWriter, symbol int) { w.put(c.codes[symbol], uint(c.lengths[symbol])) }

// runs calls do with each length, and how often it stands in a row.
func (c *coding) runs(do func(length byte, n int)) {
	for i := 0; i < len(c.lengths); {
		n := 1
		for i+n < len(c.lengths) && c.lengths[i+n] == c.lengths[i] {
			n++
		}
		do(c.lengths[i], n)
		i += n
	}
}

// putTypesTree writes the lengths as [readTypesTree] reads them.
func (c *coding) putTypesTree(w *bitWriter) {
	const field, escape, least, most = 4, 1, 3, 15 + 3
	c.runs(func(length byte, n int) {
		for n > 0 {
			switch run := min(n, most); {
			case length == escape:
				w.put(escape, field)
				w.put(escape, field)
				n--
			case run < least:
				w.put(uint32(length), field)
				n--
			default:
				w.put(escape, field)
				w.put(uint32(length), field)
				w.put(uint32(run-least), field)
				n -= run
			}
		}
	})
}

// A lengthToken is a length in a tree of 256 codes, or how often one is repeated.
type lengthToken struct{ symbol, repeat int }

// putBytesTree writes the lengths as [readBytesTree] reads them: by codes of their own.
func (c *coding) putBytesTree(w *bitWriter) {
	const smallCodes, smallBits, least, short, long = 24, 6, 2, 7, 255
	var tokens []lengthToken
	counts := make([]uint32, smallCodes)
	add := func(symbol, repeat int) {
		tokens = append(tokens, lengthToken{symbol, repeat})
		counts[symbol]++
	}
	c.runs(func(length byte, n int) {
		add(int(length)+1, 0)
		for n--; n > 0; {
			if n < least {
				add(int(length)+1, 0)
				n--
				continue
			}
			run := min(n, least+short+long)
			add(0, run)
			n -= run
		}
	})
	small := newCoding(counts, smallBits)
	w.put(uint32(small.lengths[0]), 3)
	first, last := 1, smallCodes-1
	for first < short && small.lengths[first] == 0 {
		first++
	}
	for small.lengths[last] == 0 {
		last--
	}
	w.put(uint32(first-1), 3)
	for _, n := range small.lengths[first : last+1] {
		w.put(uint32(n), 3)
	}
	if last+1 < smallCodes {
		w.put(7, 3)
	}
	for _, t := range tokens {
		small.put(w, t.symbol)
		switch {
		case t.symbol != 0:
		case t.repeat < least+short:
			w.put(uint32(t.repeat-least), 3)
		default:
			w.put(short, 3)
			w.put(uint32(t.repeat-least-short), 8)
		}
	}
}

// huff appends a hunk in the codec "huff".
func huff(dst, src []byte, _ int) ([]byte, error) {
	const maxBits = 16
	counts := make([]uint32, 256)
	for _, b := range src {
		counts[b]++
	}
	c := newCoding(counts, maxBits)
	w := bitWriter{out: dst}
	c.putBytesTree(&w)
	for _, b := range src {
		c.put(&w, int(b))
	}
	return w.end(), nil
}

// bitsFor is how many bits a number takes.
func bitsFor(v uint32) uint { return uint(bits.Len32(v)) }
