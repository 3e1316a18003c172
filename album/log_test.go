package album

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"strings"
	"testing"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/riplog"
	"spindle/internal/testdisc/testimage"
)

// peakOf is the loudest sample, in percent of the loudest that there can be.
func peakOf(p []byte) float64 {
	most := 0.0
	for ; len(p) > 0; p = p[2:] {
		most = max(most, math.Abs(float64(int16(binary.LittleEndian.Uint16(p)))))
	}
	return most / 32768 * 100
}

func TestLog(t *testing.T) {
	img := testimage.Open(t, "audio")
	a := Of(img.Layout())
	a.Tags.Set("ALBUM", "two\n[song 9]")
	made, err := Create(t.Context(), t.TempDir(), a, img, Options{})
	if err != nil {
		t.Fatal(err)
	}
	about := riplog.Section{}
	about.Add("drive", "A Drive 1.0")
	about.Add("album", a.Title())
	text := made.Log(a, about, func(*Made) riplog.Proof { return riplog.Proof{By: riplog.TwoReads, Words: "two equal reads"} }).Bytes()
	l, err := riplog.Parse(text)
	if err != nil || l.Sections[0].Get("drive") != "A Drive 1.0" {
		t.Fatalf("%v\n%s", err, text)
	}
	songs, err := l.Songs()
	if err != nil || len(songs) != len(a.Songs) {
		t.Fatalf("%v, %v", songs, err)
	}
	for _, tr := range a.Layout.Tracks() {
		line := l.Section("table of contents").Get(fmt.Sprintf("track %d", tr.Number))
		if strings.Contains(line, ", pre-emphasis") != (tr.Control&disc.PreEmphasis != 0) || tr.ISRC != "" && !strings.HasSuffix(line, ", ISRC "+tr.ISRC) {
			t.Errorf("track %d, %b, %q: %q", tr.Number, tr.Control, tr.ISRC, line)
		}
	}
	for i, s := range a.Songs {
		p := make([]byte, int(s.End-s.Start)*cdsector.Size)
		if err := img.ReadSectors(t.Context(), p, s.Start); err != nil {
			t.Fatal(err)
		}
		if got, want := l.Section(fmt.Sprintf("song %d", s.Number)).Get("peak level"), fmt.Sprintf("%.1f %%", peakOf(p)); got != want {
			t.Errorf("song %d: %q, want %q", s.Number, got, want)
		}
		if x := songs[i]; x.CRC32 != crc32.ChecksumIEEE(p) || x.First != s.Start || x.End != s.End || x.Proof.By != riplog.TwoReads || len(x.Flaws) > 0 {
			t.Errorf("%+v", x)
		}
	}
}
