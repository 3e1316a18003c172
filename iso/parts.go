package iso

// A Part is a run of bytes of a file, by their offsets in it.
type Part struct {
	First int64 `json:"first"`
	Last  int64 `json:"last"` // inclusive
}

// A DamagedFile is a file of which some parts are not right.
type DamagedFile struct {
	Name  string `json:"path"`
	Size  int64  `json:"size"` // bytes
	Parts []Part `json:"parts"`
}

// Parts returns the bytes of a file that lie in some blocks, of 2048 bytes each. The error wraps [ErrFileSystem].
func (e *Entry) Parts(in func(block int64) bool) ([]Part, error) {
	runs, inline, err := e.place()
	if err != nil {
		return nil, err
	}
	if e.hfs != nil && e.hfs.packed != nil {
		return e.packedParts(runs, in), nil
	}
	var all []Part
	at := int64(len(inline)) // in the file
	for _, r := range runs {
		end := min(at+r.size, e.Size)
		if r.block < 0 { // a hole is in no block
			at = end
			continue
		}
		for from, block := at, r.block; from < end; block++ {
			size := min(int64(BlockSize), end-from)
			if from == at {
				size = min(size, BlockSize-r.skip)
			}
			if in(block) {
				if k := len(all) - 1; k >= 0 && all[k].Last+1 == from {
					all[k].Last += size
				} else {
					all = append(all, Part{from, from + size - 1})
				}
			}
			from += size
		}
		at = end
	}
	return all, nil
}

// packedParts are those of a file that is compressed: which of its bytes come from which block is not looked into.
func (e *Entry) packedParts(runs []run, in func(block int64) bool) []Part {
	for _, r := range runs {
		for b := r.block; b*BlockSize < r.block*BlockSize+r.skip+r.size; b++ {
			if in(b) && e.Size > 0 {
				return []Part{{0, e.Size - 1}}
			}
		}
	}
	return nil
}
