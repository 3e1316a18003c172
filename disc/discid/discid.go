package discid

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"strings"

	"spindle/addr"
	"spindle/disc"
)

// IDs are the names of a disc.
type IDs struct {
	AccurateRip AccurateRip
	CDDB        uint32
	MusicBrainz string // 28 characters
	// SubmitURL is where MusicBrainz takes the disc id of a release, and finds it.
	SubmitURL string
	CTDB      string // the TOCID: equal on discs with the same audio tracks
}

// AccurateRip names a disc in the AccurateRip database.
type AccurateRip struct {
	Tracks   int // audio tracks
	ID1, ID2 uint32
	CDDB     uint32
}

// Of returns the ids of a disc. The error wraps [ErrTOC] when it has none: when it is not a
// CD, or has no audio track.
func Of(l *disc.Layout) (IDs, error) {
	if l.Medium != disc.CD {
		return IDs{}, fmt.Errorf("%w: %s", ErrTOC, l.Medium)
	}
	return TOCOf(l).IDs()
}

// IDs returns the ids of a disc with a table of contents. The error wraps [ErrTOC].
func (t TOC) IDs() (IDs, error) {
	if err := t.check(); err != nil {
		return IDs{}, err
	}
	ids := IDs{AccurateRip: t.accurateRip(), CDDB: t.cddb(), CTDB: t.ctdb()}
	ids.MusicBrainz, ids.SubmitURL = t.musicBrainz()
	return ids, nil
}

// accurateRip sums the starts of the audio tracks, and these weighted with their number among
// the audio tracks; the lead-out is that of the last session.
func (t *TOC) accurateRip() AccurateRip {
	a := AccurateRip{CDDB: t.cddb()}
	for _, x := range t.Tracks {
		if x.Data {
			continue
		}
		a.Tracks++
		a.ID1 += uint32(x.Start)
		a.ID2 += uint32(max(x.Start, 1)) * uint32(a.Tracks)
	}
	a.ID1 += uint32(t.LeadOut)
	a.ID2 += uint32(max(t.LeadOut, 1)) * uint32(a.Tracks+1)
	return a
}

// File returns the name of the file in which the database keeps a disc.
func (a AccurateRip) File() string {
	return fmt.Sprintf("dBAR-%03d-%08x-%08x-%08x.bin", a.Tracks, a.ID1, a.ID2, a.CDDB)
}

// String returns the ids as programs show them.
func (a AccurateRip) String() string {
	return fmt.Sprintf("%03d-%08x-%08x-%08x", a.Tracks, a.ID1, a.ID2, a.CDDB)
}

// URL returns where the database has the file.
func (a AccurateRip) URL() string {
	return fmt.Sprintf("http://www.accuraterip.com/accuraterip/%x/%x/%x/%s",
		a.ID1&15, a.ID1>>4&15, a.ID1>>8&15, a.File())
}

// CTDBURL returns where CTDB has what it knows of all discs with the same audio tracks.
func (t TOC) CTDBURL() string {
	return "http://db.cuetools.net/lookup2.php?version=3&ctdb=1&fuzzy=1&metadata=none&toc=" + t.String()
}

// cddb returns the id of freedb, over all tracks: a sum of digits, the playing time in seconds
// and the number of tracks.
func (t *TOC) cddb() uint32 {
	seconds := func(a disc.LBA) int { return (int(a) + addr.Pregap) / addr.FramesPerSecond }
	digits := 0
	for _, x := range t.Tracks {
		for n := seconds(x.Start); n > 0; n /= 10 {
			digits += n % 10
		}
	}
	length := seconds(t.LeadOut) - seconds(t.Tracks[0].Start)
	return uint32(digits%255)<<24 | uint32(length)<<8 | uint32(len(t.Tracks))
}

// musicBrainz returns the disc id of MusicBrainz (libdiscid): data tracks behind the last
// audio track do not count, those before it do.
func (t *TOC) musicBrainz() (id, submit string) {
	tracks, end := t.Tracks[:t.lastAudio()+1], t.audioEnd()
	for len(tracks) > 1 && end < tracks[len(tracks)-1].Start { // data in the session of the audio
		end = tracks[len(tracks)-1].Start - sessionGap
		tracks = tracks[:len(tracks)-1]
	}
	frames := func(a disc.LBA) int { return max(int(a), 0) + addr.Pregap }
	last := t.First + len(tracks) - 1
	h := sha1.New()
	fmt.Fprintf(h, "%02X%02X%08X", t.First, last, frames(end))
	list := fmt.Sprintf("%d+%d+%d", t.First, last, frames(end))
	for n := 1; n <= 99; n++ {
		start := 0
		if i := n - t.First; i >= 0 && i < len(tracks) {
			start = frames(tracks[i].Start)
			list += fmt.Sprintf("+%d", start)
		}
		fmt.Fprintf(h, "%08X", start)
	}
	id = webBase64(h.Sum(nil))
	return id, fmt.Sprintf("https://musicbrainz.org/cdtoc/attach?id=%s&tracks=%d&toc=%s", id, len(tracks), list)
}

// ctdb returns the TOCID of CTDB: the audio tracks, counted from the first.
func (t *TOC) ctdb() string {
	first, end := t.firstAudio(), t.audioEnd()
	var b strings.Builder
	n := 0
	for _, x := range t.Tracks {
		if x.Data {
			continue
		}
		if n++; n > 1 {
			fmt.Fprintf(&b, "%08X", uint32(x.Start-first))
		}
	}
	fmt.Fprintf(&b, "%08X", uint32(end-first))
	b.WriteString(strings.Repeat("00000000", 100-n))
	sum := sha1.Sum([]byte(b.String()))
	return webBase64(sum[:])
}

// webBase64 is base64 with characters that stand in a URL.
func webBase64(b []byte) string {
	return strings.NewReplacer("+", ".", "/", "_", "=", "-").Replace(base64.StdEncoding.EncodeToString(b))
}
