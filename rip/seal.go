package rip

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"spindle/image/mapfile"
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

// sealFile is the seal as it stands in the map.
type sealFile struct {
	Version int    `json:"version"`
	SHA256  string `json:"sha256"` // of the files of the image, one after the other
}

// encodeSeal gives the line that holds the SHA-256 of the image.
func encodeSeal(sum string) string {
	b, err := json.Marshal(sealFile{sealVersion, sum})
	if err != nil { // a struct of plain values
		panic(err)
	}
	return sealComment + string(b)
}

// decodeSeal reads the JSON of a seal. Errors wrap [mapfile.ErrSyntax].
func decodeSeal(text string) (string, error) {
	var f sealFile
	if err := json.Unmarshal([]byte(text), &f); err != nil || f.Version < 1 {
		return "", fmt.Errorf("%w: what it says of the image cannot be read", mapfile.ErrSyntax)
	}
	if f.Version > sealVersion {
		return "", fmt.Errorf("%w (%d; this one reads up to %d)", ErrMapVersion, f.Version, sealVersion)
	}
	if b, err := hex.DecodeString(f.SHA256); err != nil || len(b) != sha256.Size {
		return "", fmt.Errorf("%w: what it says of the image is no SHA-256", mapfile.ErrSyntax)
	}
	return f.SHA256, nil
}

// seal writes into the map what the image is as this run leaves it.
func (j *job) seal(m *mapfile.Map, sum string) error {
	s := *j.writer.state
	s.Image = sum
	if err := writeMap(j.mapPath, m, &s); err != nil {
		return fmt.Errorf("%w: %w", ErrOutput, err)
	}
	return nil
}

// checkSeal compares the image with what the earlier run left. A run that did not end by
// itself left no seal, and of an image that was cut short what is missing is read again.
func (j *job) checkSeal(ctx context.Context, earlier *state) error {
	if earlier.Image == "" || j.cutShort {
		return nil
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
	if hex.EncodeToString(h.Sum(nil)) != earlier.Image {
		return ErrImageChanged
	}
	return nil
}

// breakSeal removes the seal before anything is written.
func (j *job) breakSeal(earlier *state) error {
	if earlier.Image == "" {
		return nil
	}
	return j.seal(j.writer.tracker.snapshot(), "")
}
