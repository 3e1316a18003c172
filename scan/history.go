package scan

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"spindle/disc"
	"spindle/drive"
	"spindle/internal/atomicfile"
	"spindle/internal/regular"
	"spindle/iso"
	"spindle/scsi/mmc"
)

// ErrHistory is what errors about a file of earlier scans wrap.
var ErrHistory = errors.New("the earlier scans of the disc cannot be used")

// Identify returns the name under which the scans of a disc are kept: a hash of its table of
// contents and of the first volume descriptor of its last data track. It is empty where that
// cannot be read: two discs may have the same table of contents.
func Identify(ctx context.Context, d *mmc.Drive, m *drive.Medium) (string, error) {
	if m.Contents == nil {
		return "", nil
	}
	sum := sha256.New()
	io.WriteString(sum, m.Contents.ID)
	var data *disc.Track
	for _, t := range m.Contents.Layout.Tracks() {
		if t.Mode.IsData() {
			data = t
		}
	}
	if data != nil {
		r, err := drive.NewReader(ctx, d, m)
		if err != nil {
			return "", err
		}
		var block [mmc.BlockSize]byte
		if r.ReadUser(ctx, block[:], data.Start+iso.FirstDescriptor) != nil {
			return "", ctx.Err()
		}
		sum.Write(block[:])
	}
	const enough = 12 // bytes
	return hex.EncodeToString(sum.Sum(nil)[:enough]), nil
}

// A History is the scans of one disc, the latest last.
type History struct {
	Version int    `json:"version"`
	Scans   []Scan `json:"scans"`
}

// The version of the file, how many scans are kept, and the largest file that is read.
const (
	historyVersion = 1
	mostScans      = 50
	mostBytes      = 8 << 20
)

// File is where the scans of a disc are kept, below a folder.
func File(folder, identity string) string {
	return filepath.Join(folder, "scans", identity+".json")
}

// Load reads the scans of a disc. There may be none. The error wraps [ErrHistory].
func Load(path string) (*History, error) {
	f, err := regular.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &History{Version: historyVersion}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHistory, err)
	}
	defer f.Close()
	h := new(History)
	b, err := io.ReadAll(io.LimitReader(f, mostBytes))
	if err == nil {
		err = json.Unmarshal(b, h)
	}
	if err == nil {
		err = h.check()
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrHistory, path, err)
	}
	return h, nil
}

func (h *History) check() error {
	if h.Version != historyVersion {
		return fmt.Errorf("version %d, and %d is known", h.Version, historyVersion)
	}
	for i := range h.Scans {
		s := &h.Scans[i]
		if s.OneX <= 0 || len(s.Zones) > zones || len(s.Zones) == 0 {
			return errors.New("an impossible scan")
		}
		for _, z := range s.Zones {
			n := int(z.End) - int(z.First)
			for _, count := range [...]int{z.Read, z.Slow, z.Retried, z.Unreadable, z.Skipped, z.Flagged, z.Wrong} {
				if n < 0 || count < 0 || count > n || z.Speed < 0 {
					return fmt.Errorf("an impossible zone at %d", z.First)
				}
			}
		}
	}
	return nil
}

// Add appends a scan. Of many, the first stays, and the latest do.
func (h *History) Add(s *Scan) {
	h.Scans = append(h.Scans, *s)
	if n := len(h.Scans); n > mostScans {
		h.Scans = append(h.Scans[:1], h.Scans[n-mostScans+1:]...)
	}
}

// Save writes the scans.
func (h *History) Save(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	b, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(path, append(b, '\n'))
}

// A Change is a zone that reads worse than it did.
type Change struct{ Then, Now Zone }

// What is worse in the same drive: a speed below this share of the earlier one, or more than
// twice as many sectors that came late or at the second attempt, and a few commands' worth
// besides: drives hesitate now and then for reasons of their own.
const (
	slower   = 0.6
	hesitant = 100
)

// Worse returns the zones of which less can be read than in an earlier scan, or which the same
// drive reads with more effort or slower.
func (s *Scan) Worse(earlier *Scan) []Change {
	if len(s.Zones) != len(earlier.Zones) {
		return nil
	}
	var all []Change
	for i, now := range s.Zones {
		then := earlier.Zones[i]
		if then.First != now.First || then.End != now.End {
			return nil
		}
		worse := now.Unreadable > then.Unreadable || now.Wrong > then.Wrong || now.Flagged > then.Flagged && earlier.C2
		if s.Drive == earlier.Drive {
			worse = worse || now.Slow+now.Retried > 2*(then.Slow+then.Retried)+hesitant || now.Speed > 0 && now.Speed < slower*then.Speed
		}
		if worse {
			all = append(all, Change{then, now})
		}
	}
	return all
}
