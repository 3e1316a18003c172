package main

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"spindle/addr"
	"spindle/check"
	"spindle/disc/accuraterip"
	"spindle/disc/discid"
	"spindle/image"
	"spindle/internal/testdisc"

	"github.com/rogpeppe/go-internal/testscript"
)

// mkalbum NAME OFFSET makes an audio CD of four tracks, the third silent, whose samples
// stand so many later than with 0.
func cmdMkalbum(ts *testscript.TestScript, _ bool, args []string) {
	offset, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(mkalbum(ts.MkAbs("."), args[0], offset))
}

func mkalbum(dir, name string, offset int) error {
	const sectors, most = 640, 6000
	all := testdisc.NetRandom(11, sectors*2352+8*most)
	clear(all[4*most+550*2352 : 4*most+590*2352])
	if err := os.WriteFile(filepath.Join(dir, name+".bin"), all[4*(most-offset):][:sectors*2352], 0o666); err != nil {
		return err
	}
	sheet := fmt.Sprintf("FILE \"%s.bin\" BINARY\n", name)
	for i, start := range []int{0, 460, 550, 590} {
		at := addr.Frames(start)
		sheet += fmt.Sprintf("  TRACK %02d AUDIO\n    INDEX 01 %02d:%02d:%02d\n", i+1, at.M, at.S, at.F)
	}
	return os.WriteFile(filepath.Join(dir, name+".cue"), []byte(sheet), 0o666)
}

// respond FOLDER IMAGE [CTDB V2] writes what databases would say of an image: AccurateRip's version 1
// with confidence 30 and 2 with V2, or 4, CTDB with its confidence, or 10, and parity of 8 words.
func cmdRespond(ts *testscript.TestScript, _ bool, args []string) {
	confidence, v2 := "10", "4"
	if len(args) == 4 {
		confidence, v2 = args[2], args[3]
	}
	two, err := strconv.ParseUint(v2, 10, 8)
	ts.Check(err)
	files, err := responses(context.Background(), ts.MkAbs(args[1]), confidence, byte(two), 8)
	ts.Check(err)
	ts.Check(os.MkdirAll(ts.MkAbs(args[0]), 0o777))
	for name, b := range files {
		ts.Check(os.WriteFile(filepath.Join(ts.MkAbs(args[0]), name), b, 0o666))
	}
}

// responses are the files of the databases about an image, with so many words of parity.
func responses(ctx context.Context, path, confidence string, v2 byte, words int) (map[string][]byte, error) {
	img, err := image.Open(ctx, path, func(image.Remark) {})
	if err != nil {
		return nil, err
	}
	defer img.Close()
	proof := check.NewProof(img.Layout())
	if _, err = check.Sectors(ctx, img, check.Options{NoHashes: true, Proof: proof}); err != nil {
		return nil, err
	}
	ids, err := discid.Of(img.Layout())
	if err != nil {
		return nil, err
	}
	files := make(map[string][]byte)

	id := ids.AccurateRip
	chunk := func(confidence byte, of func(accuraterip.Sums) (sum, key uint32)) (b []byte) {
		b = append(b, byte(id.Tracks))
		for _, x := range []uint32{id.ID1, id.ID2, id.CDDB} {
			b = binary.LittleEndian.AppendUint32(b, x)
		}
		for _, s := range proof.AccurateRip.Sums() {
			sum, key := of(s)
			b = binary.LittleEndian.AppendUint32(append(b, confidence), sum)
			b = binary.LittleEndian.AppendUint32(b, key)
		}
		return b
	}
	v1 := chunk(30, func(s accuraterip.Sums) (uint32, uint32) { return s.V1, s.Frame450 })
	files[id.File()] = append(v1, chunk(v2, func(s accuraterip.Sums) (uint32, uint32) { return s.V2, 0 })...)

	sums := proof.CTDB.Sums()
	var crcs []string
	for _, c := range sums.Tracks {
		crcs = append(crcs, fmt.Sprintf("%08x", c))
	}
	files["ctdb-"+ids.CTDB+".xml"] = fmt.Appendf(nil, "<ctdb><entry id=\"77\" confidence=\"%s\" crc32=\"%08x\" trackcrcs=\"%s\" toc=\"%s\" npar=\"%d\" stride=\"5880\" hasparity=\"/77\" syndrome=\"%s\"/></ctdb>\n",
		confidence, sums.Disc, strings.Join(crcs, " "), discid.TOCOf(img.Layout()), words, column0(proof.CTDB.Parity(words)))
	files["ctdb-77.parity"] = proof.CTDB.Parity(words)
	return files, nil
}

// column0 is the syndrome of the first column, as a response states it.
func column0(parity []byte) string {
	const row = 11760 * 2
	var b []byte
	for ; len(parity) > 0; parity = parity[row:] {
		b = append(b, parity[:2]...)
	}
	return base64.StdEncoding.EncodeToString(b)
}
