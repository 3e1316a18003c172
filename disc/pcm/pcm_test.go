package pcm

import (
	"bytes"
	"encoding/binary"
	"testing"
)

func TestWindows(t *testing.T) {
	const length = 100
	stream := make([]byte, length*SampleSize)
	for i := range stream {
		stream[i] = byte(i * 7)
	}
	for _, step := range []int{1, 3, 17, 100} {
		var k Windows
		kept := []*Window{k.Keep(50, 10, length), k.Keep(0, 10, length), k.Keep(100, 10, length), k.Keep(55, 30, length),
			k.KeepRun(-5, 300, length), k.KeepRun(200, 300, length)}
		for at := 0; at < length; at += step {
			k.Write(int64(at), stream[at*SampleSize:min(at+step, length)*SampleSize])
		}
		for i, want := range [][2]int64{{40, 60}, {0, 10}, {90, 100}, {25, 85}, {0, 100}, {100, 100}} {
			w := kept[i]
			if w.First != want[0] || w.End != want[1] || !bytes.Equal(w.Bytes, stream[w.First*SampleSize:w.End*SampleSize]) {
				t.Errorf("steps of %d: window %d is %d to %d, want %d, or holds something else", step, i, w.First, w.End, want)
			}
		}
		if got, want := kept[0].Sample(41), binary.LittleEndian.Uint32(stream[41*SampleSize:]); got != want {
			t.Errorf("steps of %d: sample 41 is %08x, want %08x", step, got, want)
		}
	}
}
