package main

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"strconv"

	"spindle/album"
	"spindle/disc/accuraterip"
	"spindle/disc/discid"
	"spindle/image"

	"github.com/rogpeppe/go-internal/testscript"
)

// accuraterip IMAGE DIR CONFIDENCE [v1] writes the file that AccurateRip would have of a disc,
// with so many who submitted each track, by version 2, or "v1" or "both".
func cmdAccurateRip(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	img, err := image.Open(ctx, ts.MkAbs(args[0]))
	ts.Check(err)
	defer img.Close()
	confidence, err := strconv.Atoi(args[2])
	ts.Check(err)
	temp, err := os.MkdirTemp("", "album")
	ts.Check(err)
	defer os.RemoveAll(temp)
	made, err := album.Create(ctx, temp, album.Of(img.Layout()), img, album.Options{Coding: album.Wave})
	ts.Check(err)
	ids, err := discid.Of(img.Layout())
	ts.Check(err)
	id := ids.AccurateRip
	var b []byte
	chunk := func(sum func(x accuraterip.Sums) uint32) {
		b = append(b, byte(id.Tracks))
		for _, x := range []uint32{id.ID1, id.ID2, id.CDDB} {
			b = binary.LittleEndian.AppendUint32(b, x)
		}
		for _, s := range made.Songs {
			if s.Number > 0 {
				b = append(b, byte(confidence))
				b = binary.LittleEndian.AppendUint32(b, sum(s.Sums))
				b = binary.LittleEndian.AppendUint32(b, s.Sums.Frame450)
			}
		}
	}
	which := append(args, "v2")[3]
	if which != "v2" {
		chunk(func(x accuraterip.Sums) uint32 { return x.V1 })
	}
	if which != "v1" {
		chunk(func(x accuraterip.Sums) uint32 { return x.V2 })
	}
	dir := ts.MkAbs(args[1])
	ts.Check(os.MkdirAll(dir, 0o777))
	ts.Check(os.WriteFile(filepath.Join(dir, id.File()), b, 0o666))
}
