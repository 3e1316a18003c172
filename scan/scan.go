// Package scan measures how well a drive reads a disc: how fast at each place, where it
// hesitates, and what it does not give. It keeps the results, so that a later scan of the
// same disc shows whether the disc gets worse. It changes no setting of the drive.
package scan

import (
	"context"
	"errors"
	"strings"
	"time"

	"spindle/disc"
	"spindle/drive"
	"spindle/scsi/mmc"
)

// Errors of [Run].
var (
	// ErrNothing: nothing is recorded on the disc.
	ErrNothing = errors.New("there is nothing on the disc to scan")
	// ErrChanged: the disc may have been changed while it was scanned.
	ErrChanged = errors.New("the disc may have been changed while it was scanned")
)

// A Zone is a part of the disc, and what was met there. A count of sectors may be larger than
// what is wrong: sectors are read many at a time.
type Zone struct {
	First disc.LBA `json:"first"`
	End   disc.LBA `json:"end"`  // the address behind it
	Read  int      `json:"read"` // sectors that came
	// Speed is at how many bytes a second those sectors came that were read without a seek
	// before them; 0: none were.
	Speed      float64 `json:"speed"`
	Slow       int     `json:"slow,omitempty"`       // sectors that came late: the drive tried again by itself
	Retried    int     `json:"retried,omitempty"`    // that came when they were asked for once more
	Unreadable int     `json:"unreadable,omitempty"` // that did not come
	Skipped    int     `json:"skipped,omitempty"`    // that were not asked for, or that the drive refuses
	Flagged    int     `json:"flagged,omitempty"`    // sectors of audio with error pointers (C2)
	Wrong      int     `json:"wrong,omitempty"`      // sectors of data with a wrong EDC
}

// Bad reports whether anything in a zone was not right.
func (z *Zone) Bad() bool { return z.Unreadable+z.Flagged+z.Wrong > 0 }

// A Scan is what one scan found.
type Scan struct {
	Time    time.Time     `json:"time"`
	Drive   string        `json:"drive"`  // maker, model and firmware
	Medium  string        `json:"medium"` // profile
	Elapsed time.Duration `json:"elapsed"`
	OneX    float64       `json:"one_x"` // bytes a second at 1x
	C2      bool          `json:"c2"`    // audio was read with error pointers
	// Doubted: the drive has error pointers, and they are wrong: they were not used.
	Doubted bool   `json:"c2_doubted,omitempty"`
	Zones   []Zone `json:"zones"`
}

// Speed returns the mean speed, in bytes a second.
func (s *Scan) Speed() float64 {
	sum, seconds := 0.0, 0.0
	for _, z := range s.Zones {
		if z.Speed > 0 {
			sum += float64(z.Read)
			seconds += float64(z.Read) / z.Speed
		}
	}
	if seconds == 0 {
		return 0
	}
	return sum / seconds
}

// Sum adds up the zones.
func (s *Scan) Sum() Zone {
	var sum Zone
	for i, z := range s.Zones {
		if i == 0 {
			sum.First = z.First
		}
		sum.End = z.End
		sum.Read += z.Read
		sum.Slow += z.Slow
		sum.Retried += z.Retried
		sum.Unreadable += z.Unreadable
		sum.Skipped += z.Skipped
		sum.Flagged += z.Flagged
		sum.Wrong += z.Wrong
	}
	return sum
}

// Options say how to scan.
type Options struct {
	// Now is when the scan is made, for those that follow.
	Now time.Time
	// Progress receives how many sectors of how many are done, and the speed of the last
	// ones in bytes a second. It may be nil.
	Progress func(done, total int, speed float64)
}

// zones is into how many parts a disc is divided.
const zones = 100

// Run scans the disc that a survey [drive.ForReading] found.
func Run(ctx context.Context, d *mmc.Drive, m *drive.Medium, o Options) (*Scan, error) {
	if m.Contents == nil || len(m.Contents.Layout.Tracks()) == 0 {
		return nil, ErrNothing
	}
	r, err := drive.NewReader(ctx, d, m)
	if err != nil {
		return nil, err
	}
	s := &scanner{drive: d, reader: r, pieces: piecesOf(m), medium: m.Kind(), o: o}
	for _, p := range s.pieces {
		s.total += int(p.end - p.first)
	}
	if s.total == 0 {
		return nil, ErrNothing
	}
	if o.Progress == nil {
		s.o.Progress = func(int, int, float64) {}
	}
	out := &Scan{Time: o.Now, Medium: m.Profile.String(), OneX: oneX(s.medium)}
	if q, err := d.Inquiry(ctx); err == nil {
		out.Drive = strings.Join(strings.Fields(q.Vendor+" "+q.Product+" "+q.Revision), " ")
	}
	begin := d.Clock().Now()
	s.divide()
	if err := s.choosePointers(ctx); err != nil {
		return nil, err
	}
	if err := s.run(ctx); err != nil {
		return nil, err
	}
	out.C2, out.Doubted = r.Caps.C2 != mmc.NoC2, s.doubted
	out.Zones, out.Elapsed = s.zones, d.Clock().Now().Sub(begin)
	return out, nil
}

// oneX returns the bytes a second at 1x, as [Zone.Speed] counts them: whole sectors of a CD.
func oneX(m disc.Medium) float64 {
	switch m {
	case disc.DVD:
		return mmc.DVDSpeed
	case disc.BD:
		return mmc.BDSpeed
	}
	return mmc.CDSpeed
}

// A piece is sectors of one coding that follow each other.
type piece struct {
	first, end disc.LBA
	coding     drive.Coding
}

// Sectors at the end of a track that may not be read with it: run-out blocks, and the pause
// of two seconds that a table of contents counts with the track before it (ECMA-130 20,
// MMC-6 4.2.3.5).
const (
	runOut = 2
	pause  = 2 * disc.FramesPerSecond
)

// piecesOf returns what of a disc is to be read.
func piecesOf(m *drive.Medium) []piece {
	l := m.Contents.Layout
	if l.Medium != disc.CD {
		var all []piece
		for _, x := range m.Contents.Recorded {
			all = append(all, piece{x.First, x.End, drive.Data})
		}
		if len(all) == 0 {
			t := l.Tracks()[0]
			all = append(all, piece{t.Start, t.End, drive.Data})
		}
		return all
	}
	var all []piece
	for i := range l.Sessions {
		tracks := l.Sessions[i].Tracks
		for k := range tracks {
			t := &tracks[k]
			p := piece{t.Start, t.End, drive.CodingOf(t)}
			if p.coding == drive.Data {
				p.end -= runOut
			}
			if k+1 < len(tracks) && drive.CodingOf(&tracks[k+1]) != p.coding {
				p.end -= pause
			}
			if p.end > p.first {
				all = append(all, p)
			}
		}
	}
	return all
}
