package toc

import (
	"spindle/disc"
	"spindle/image/audio"
	"spindle/image/format"
)

// missing is what a part lacks of its file, which was cut short.
type missing struct {
	bytes int64 // whole sectors
	file  string
	size  int64 // of the file
	least bool  // nothing says how much it is
	last  bool  // nothing follows it
}

// lack notes that a part reaches so many bytes beyond the content of its file.
func (x *part) lack(bytes int64, file string, size int64) {
	block := x.block()
	x.lost = missing{min(x.length, (bytes+block-1)/block*block), file, size, x.lost.least, x.lost.last}
}

// fill puts empty sectors, or silence, in the place of what parts lack, and notes the flaws.
// begins are where the parts begin in the track, in units of which so many make a sector.
func (b *builder) fill(parts []part, begins []int64, sector int64, at disc.LBA) []part {
	var all []part
	for i := range parts {
		x := parts[i]
		if x.lost.bytes == 0 {
			all = append(all, x)
			continue
		}
		rest := part{length: x.lost.bytes, mode: x.mode, sub: x.sub, line: x.line}
		first, end := begins[i+1]-rest.length/x.block(), begins[i+1]
		if sector == audio.SectorSize {
			first = begins[i+1] - rest.length
		}
		if x.length -= rest.length; x.length > 0 {
			all = append(all, x)
		}
		all = append(all, rest)
		from, to := at+disc.LBA(first/sector), at+disc.LBA((end+sector-1)/sector)
		b.flaws = b.flaws.Union(disc.FlawsOf(disc.Flaw{First: from, Count: int(to - from), Kind: disc.Unread}))
		want := x.offset + x.length + rest.length
		if x.lost.least {
			want = 0
		}
		if b.remarked == nil {
			b.remarked = make(map[string]bool)
		}
		if !b.remarked[x.lost.file] {
			b.remarked[x.lost.file] = true
			b.main.Remark(format.Remark{Kind: format.CutShort, File: x.lost.file, Have: x.lost.size, Want: want, Displaced: x.lost.least && !x.lost.last})
		}
	}
	return all
}
