package rip

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"spindle/image/mapfile"
	"spindle/internal/regular"
)

// ErrImageChanged is returned when a rip is resumed whose image is no longer as the last run
// left it: its map vouches for bytes that are gone.
var ErrImageChanged = errors.New("the image was changed since the last run")

// ErrImageGone is returned when a rip is resumed of which only the map is left.
var ErrImageGone = errors.New("the image of an earlier run is missing, and its map is there")

// sealComment begins the comment of the map that says what the image was when a run ended, in
// JSON, after the #.
const sealComment = " spindle image: "

const sealVersion = 1

// A seal is what an image was when a run ended, as SHA-256 in hexadecimal. The zero seal
// says nothing.
type seal struct {
	Image string // of the files of the image, one after the other
	Sub   string // of the file of sub-channels; "": there is none, or an older version sealed it
}

// sealFile is the seal as it stands in the map. Versions that know no sub-channels in it
// pass over them.
type sealFile struct {
	Version int    `json:"version"`
	SHA256  string `json:"sha256"`
	Sub     string `json:"sub_sha256,omitempty"`
}

// encode gives the line that holds the seal.
func (s seal) encode() string {
	b, err := json.Marshal(sealFile{sealVersion, s.Image, s.Sub})
	if err != nil { // a struct of plain values
		panic(err)
	}
	return sealComment + string(b)
}

// decodeSeal reads the JSON of a seal. Errors wrap [mapfile.ErrSyntax].
func decodeSeal(text string) (seal, error) {
	var f sealFile
	if err := json.Unmarshal([]byte(text), &f); err != nil || f.Version < 1 {
		return seal{}, fmt.Errorf("%w: what it says of the image cannot be read", mapfile.ErrSyntax)
	}
	if f.Version > sealVersion {
		return seal{}, fmt.Errorf("%w (%d; this one reads up to %d)", ErrMapVersion, f.Version, sealVersion)
	}
	for _, sum := range []string{f.SHA256, f.Sub} {
		if b, err := hex.DecodeString(sum); err != nil || len(b) != sha256.Size && (sum != "" || f.SHA256 == "") {
			return seal{}, fmt.Errorf("%w: what it says of the image is no SHA-256", mapfile.ErrSyntax)
		}
	}
	return seal{f.SHA256, f.Sub}, nil
}

// seal writes into the map what the image is as this run leaves it.
func (j *job) seal(m *mapfile.Map, as seal) error {
	s := *j.writer.state
	s.Seal = as
	if err := writeMap(j.mapPath, m, &s); err != nil {
		return fmt.Errorf("%w: %w", ErrOutput, err)
	}
	return nil
}

// checkSeal compares the image with what the earlier run left. A run that did not end by
// itself left no seal, and of an image that was cut short what is missing is read again.
func (j *job) checkSeal(ctx context.Context, earlier *state) error {
	if earlier.Seal == (seal{}) || j.cutShort {
		return nil
	}
	if sub := j.writer.out.sub; sub != nil && earlier.Seal.Sub != "" {
		switch sum, err := hashFile(ctx, sub.f); {
		case err != nil:
			return err
		case sum != earlier.Seal.Sub:
			return fmt.Errorf("%w: %s", ErrImageChanged, sub.path)
		}
	}
	h := sha256.New()
	buf := make([]byte, 1<<20)
	size := j.writer.plan.regions.size()
	for at := int64(0); at < size; at += int64(len(buf)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		buf = buf[:min(int64(len(buf)), size-at)]
		if err := j.writer.out.readAt(buf, at); err != nil {
			return fmt.Errorf("%w: %w", ErrOutput, err)
		}
		h.Write(buf)
		j.opts.Observer.Progress(Progress{Phase: Hashing, Done: at + int64(len(buf)), Total: size})
	}
	if hex.EncodeToString(h.Sum(nil)) != earlier.Seal.Image {
		return ErrImageChanged
	}
	return nil
}

// breakSeal removes the seal before anything is written.
func (j *job) breakSeal(earlier *state) error {
	if earlier.Seal == (seal{}) {
		return nil
	}
	return j.seal(j.writer.tracker.snapshot(), seal{})
}

// A Sealed is what the last run of a rip left, as SHA-256 in hexadecimal, by the map of that rip.
// The sums are empty where the map says nothing.
type Sealed struct {
	Image string // of the files of the image, one after the other
	Size  int64  // of these together, in bytes
	Sub   string // of the file of sub-channels
}

// ReadSealed reads what a map says of the files that its rip left.
func ReadSealed(mapPath string) (Sealed, error) {
	f, err := regular.Open(mapPath)
	if err != nil {
		return Sealed{}, err
	}
	defer f.Close()
	m, err := mapfile.Read(f)
	if err != nil {
		return Sealed{}, fmt.Errorf("%s: %w", mapPath, err)
	}
	for _, c := range m.Comments {
		if text, ok := strings.CutPrefix(c, sealComment); ok {
			s, err := decodeSeal(text)
			return Sealed{s.Image, m.Size(), s.Sub}, err
		}
	}
	return Sealed{}, nil
}
