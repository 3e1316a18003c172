package iso

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// The size of a UDF volume is that of its partition, except where that has room for what
// is still to be recorded.
func TestUDFBlocks(t *testing.T) {
	for access, want := range map[uint32]int64{1: udfEnd, accessWriteOnce: udfStart, 3: udfEnd, 4: udfEnd} {
		u := newUDF(nil, 0, func(n int) int { return udfStart + n })
		binary.LittleEndian.PutUint32(u.block(32)[184:], access)
		u.seal(32, 32, tagPartition)
		for _, blocks := range []int{udfEnd, udfEnd - 10} { // whole, and cut
			v, err := ReadVolume(bytes.NewReader(u.b[:blocks*BlockSize]), int64(blocks))
			if err != nil {
				t.Fatal(err)
			}
			if v.Blocks() != want {
				t.Errorf("access type %d, %d blocks: the volume has %d, want %d", access, blocks, v.Blocks(), want)
			}
		}
	}
}
