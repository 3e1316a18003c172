package iso

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Which bytes of a file lie in some blocks, for a file in runs with a hole and one that begins in the middle of a block.
func TestParts(t *testing.T) {
	for _, test := range []struct {
		name string
		file Entry
		bad  []int64
		want []Part
	}{
		{"the end", Entry{Size: 5000, extents: []run{{block: 10, size: 5000}}}, []int64{12, 13}, []Part{{4096, 4999}}},
		{"all", Entry{Size: 5000, extents: []run{{block: 10, size: 5000}}}, []int64{10, 11, 12}, []Part{{0, 4999}}},
		{"two runs", Entry{Size: 6000, extents: []run{{block: 10, size: 4096}, {block: 50, size: 1904}}}, []int64{10, 11, 50}, []Part{{0, 5999}}},
		{"two parts", Entry{Size: 6000, extents: []run{{block: 10, size: 4096}, {block: 50, size: 1904}}}, []int64{10, 50}, []Part{{0, 2047}, {4096, 5999}}},
		{"a hole", Entry{Size: 8192, extents: []run{{block: -1, size: 4096}, {block: 50, size: 4096}}}, []int64{-1, 0, 51}, []Part{{6144, 8191}}},
		{"the middle of a block", Entry{Size: 3000, extents: []run{{block: 10, size: 3000, skip: 1024}}}, []int64{10}, []Part{{0, 1023}}},
		{"none", Entry{Size: 3000, extents: []run{{block: 10, size: 3000}}}, []int64{9, 12}, nil},
		{"the last run is longer than the file", Entry{Size: 100, extents: []run{{block: 10, size: 2048}}}, []int64{10}, []Part{{0, 99}}},
	} {
		got, err := test.file.Parts(func(block int64) bool {
			for _, b := range test.bad {
				if b == block {
					return true
				}
			}
			return false
		})
		if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
			t.Errorf("%s: %s %v", test.name, diff, err)
		}
	}
}
