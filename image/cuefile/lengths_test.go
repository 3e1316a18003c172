package cuefile

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/format"
)

// writeData writes raw sectors of Mode 1 that say where they are.
func writeData(t *testing.T, path string, first disc.LBA, n int) {
	t.Helper()
	var b bytes.Buffer
	for i := range n {
		var s [cdsector.Size]byte
		cdsector.SetHeader(&s, addr.LBA(int(first)+i).MSF(), 1)
		cdsector.Seal(&s, cdsector.Mode1)
		b.Write(s[:])
	}
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

// How much is missing of a file that others follow: the next sectors that say where they are tell it.
// Where none does, what follows is too early, and that is remarked.
func TestLengths(t *testing.T) {
	const (
		first  = "FILE first.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n"
		second = "FILE second.bin BINARY\nTRACK 02 AUDIO\nINDEX 00 00:00:00\nINDEX 01 00:02:00\n"
		third  = "FILE data.bin BINARY\nTRACK 03 MODE1/2352\nINDEX 01 00:00:00\n"
		fourth = "FILE fourth.bin BINARY\nTRACK 04 AUDIO\nINDEX 01 00:00:00\n"
	)
	for name, test := range map[string]struct {
		sheet         string
		first, second int // bytes
		data          disc.LBA
		starts        []disc.LBA
		flaws         string
		remarks       string
	}{
		"whole": {first + second + third + fourth, 300 * 2352, 450 * 2352, 750, []disc.LBA{0, 450, 750, 800}, "", ""},
		"the first is cut": {
			first + second + third + fourth, 200*2352 + 9, 450 * 2352, 750, []disc.LBA{0, 450, 750, 800}, "200+100 ",
			"first.bin 470409 of 705600; ",
		},
		"one in the middle is cut": {
			first + second + third + fourth, 300 * 2352, 400*2352 - 1, 750, []disc.LBA{0, 450, 750, 800}, "699+51 ",
			"second.bin 940799 of 1058400; ",
		},
		"in its pregap": {
			first + second + third, 300 * 2352, 100 * 2352, 750, []disc.LBA{0, 450, 750}, "400+350 ", "second.bin 235200 of 1058400; ",
		},
		"only the last sector": {
			first + second + third, 300 * 2352, 450*2352 - 1, 750, []disc.LBA{0, 450, 750}, "749+1 ", "second.bin 1058399 of 1058400; ",
		},
		"two are cut": {
			first + second + third, 200*2352 + 9, 400*2352 - 1, 750, []disc.LBA{0, 351, 601}, "200+1 600+1 ",
			"first.bin 470409 displaced; second.bin 940799 displaced; ",
		},
		"nothing says it": {
			first + second, 200*2352 + 9, 450 * 2352, 750, []disc.LBA{0, 351}, "200+1 ", "first.bin 470409 displaced; ",
		},
		"the last is cut": {
			first + second, 300 * 2352, 400*2352 - 1, 750, []disc.LBA{0, 450}, "699+1 ", "second.bin 940799; ",
		},
		"the sectors are of elsewhere": {
			first + second + third, 200*2352 + 9, 450 * 2352, 5, []disc.LBA{0, 351, 651}, "200+1 ", "first.bin 470409 displaced; ",
		},
		"all of the disc is moved": { // as by a gap that the sheet lacks
			third + "FILE first.bin BINARY\nTRACK 04 AUDIO\nINDEX 01 00:00:00\n" +
				"FILE again.bin BINARY\nTRACK 05 MODE1/2352\nINDEX 01 00:00:00\n",
			200*2352 + 9, 0, 75, []disc.LBA{0, 50, 350}, "250+100 ", "first.bin 470409 of 705600; ",
		},
		"in another session": {
			"REM SESSION 01\n" + first + "REM SESSION 02\nFILE data.bin BINARY\nTRACK 02 MODE1/2352\nINDEX 01 00:00:00\n", 200*2352 + 9, 0, 20000, []disc.LBA{0, 11601}, "200+1 ", "first.bin 470409 displaced; ",
		},
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "first.bin"), test.first)
		write(t, filepath.Join(dir, "second.bin"), test.second)
		write(t, filepath.Join(dir, "fourth.bin"), 300*2352)
		writeData(t, filepath.Join(dir, "data.bin"), test.data, 50)
		writeData(t, filepath.Join(dir, "again.bin"), test.data+350, 50)
		path := filepath.Join(dir, "x.cue")
		if err := os.WriteFile(path, []byte(test.sheet), 0o666); err != nil {
			t.Fatal(err)
		}
		f, err := format.OpenFile(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		remarks := ""
		f.Observe(func(r format.Remark) {
			remarks += fmt.Sprintf("%s %d", filepath.Base(r.File), r.Have)
			if r.Want > 0 {
				remarks += fmt.Sprint(" of ", r.Want)
			}
			if r.Displaced {
				remarks += " displaced"
			}
			remarks += "; "
		})
		img, err := openFile(t.Context(), f)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var starts []disc.LBA
		for _, x := range img.Layout().Tracks() {
			starts = append(starts, x.Start)
		}
		flaws := ""
		for _, x := range img.Flaws() {
			flaws += fmt.Sprintf("%d+%d ", x.First, x.Count)
		}
		if fmt.Sprint(starts) != fmt.Sprint(test.starts) || flaws != test.flaws || remarks != test.remarks {
			t.Errorf("%s: starts %v, flaws %q, remarks %q; want %v, %q, %q", name, starts, flaws, remarks, test.starts, test.flaws, test.remarks)
		}
		img.Close()
	}
}
