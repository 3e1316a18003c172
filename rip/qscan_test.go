package rip

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
)

// Where the sub-channel has no checksums, or does not come at all, the drive is asked for
// the codes, and a note says what may be missing.
func TestCodesWithoutSubchannel(t *testing.T) {
	src := makeDisc(t, "audio")
	for traits, note := range map[string]NoteCode{
		"": "", "subchannel-no-crc": NoteUncheckedSub, "no-subchannel": NoteNoSubchannel, "subchannel-hangs": NoteNoSubchannel,
	} {
		query := ""
		if traits != "" {
			query = "?trait=" + traits
		}
		o := &observer{}
		opts := Options{Output: filepath.Join(t.TempDir(), "x.cue"), Format: CueBin, Once: true, Observer: o}
		res, err := Rip(context.Background(), tray(t, src, query), opts)
		if err != nil || note != "" && !o.told(note) || note == "" && len(o.notes) > 0 {
			t.Fatalf("%s: %v, %+v", traits, err, o.notes)
		}
		l := res.Contents.Layout
		got := l.MCN
		for _, track := range l.Tracks() {
			got += " " + track.ISRC
		}
		if want := "4012345678901 DEA123400001 DEA123400002"; !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", traits, got, want)
		}
	}
}
