package rip

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/drive"
	"spindle/iso"
	"spindle/scsi/mmc"
)

// An identity is what tells discs of one table of contents apart before their
// sectors are compared. What a drive does not return stays empty, and is then no
// evidence.
type identity struct {
	MCN         string
	MediaID     string       // of [mmc.Drive.MediaID]
	Descriptors []descriptor // of the volumes of all data tracks
}

// A descriptor is a block of a volume descriptor, with its labels and dates.
type descriptor struct {
	At  disc.LBA `json:"lba"`
	Sum string   `json:"sha256"` // of its 2048 bytes, in hexadecimal
}

// validate checks what no type says; a nil identity is none.
func (id *identity) validate() error {
	if id == nil {
		return nil
	}
	for _, x := range id.Descriptors {
		if b, err := hex.DecodeString(x.Sum); err != nil || len(b) != sha256.Size || x.At < 0 || x.At > disc.MaxLBA {
			return fmt.Errorf("the volume descriptor at %d cannot be one", x.At)
		}
	}
	return nil
}

// An identifier asks the drive for the parts of an identity.
type identifier struct {
	reader  *drive.Reader
	layout  *disc.Layout
	profile mmc.Profile
}

func (c *Contents) identifier() *identifier {
	return &identifier{reader: &drive.Reader{Drive: c.reader.Drive, Caps: drive.ReadCaps{Raw: c.reader.Caps.Raw}}, layout: c.Layout, profile: c.Profile}
}

// identify collects the whole identity.
func (d *identifier) identify(ctx context.Context) identity {
	id := identity{MCN: d.mcn(ctx), MediaID: d.reader.Drive.MediaID(ctx, d.profile)}
	for _, t := range d.layout.Tracks() {
		if t.Mode.IsData() {
			id.Descriptors = append(id.Descriptors, d.descriptors(ctx, t)...)
		}
	}
	return id
}

// mcn asks for the catalogue number. Some drives return zeros for none.
func (d *identifier) mcn(ctx context.Context) string {
	if d.layout.Medium != disc.CD {
		return ""
	}
	mcn, err := d.reader.Drive.MCN(ctx)
	if err != nil || !cdsector.ValidMCN(mcn) || mcn == "0000000000000" {
		return ""
	}
	return mcn
}

// Bounds on the descriptors of one track, in blocks.
const (
	mostRecognition = 32 // of the volume recognition sequence
	mostSequence    = 16 // of a UDF volume descriptor sequence (ECMA-167 3/8.4.2: at least 16)
	anchorBlock     = 256
	anchorTag       = 2 // ECMA-167 3/7.2.1
)

// recognised are the identifiers of a volume recognition sequence (ECMA-119 8.1.2,
// ECMA-167 2/9.1).
var recognised = [...]string{"CD001", "CDW02", "BEA01", "NSR02", "NSR03", "TEA01", "BOOT2", "CD-I "}

func isRecognised(block []byte) bool {
	for _, name := range recognised {
		if string(block[1:6]) == name {
			return true
		}
	}
	return false
}

// descriptors reads the recognition sequence of a track, and the sequence that
// the anchor of a UDF volume names. It ends at the first block that cannot be read.
func (d *identifier) descriptors(ctx context.Context, t *disc.Track) []descriptor {
	var all []descriptor
	var block [iso.BlockSize]byte
	take := func(n int64) bool {
		at := int64(t.Start) + n
		if n < 0 || at >= int64(t.End) || d.block(ctx, &block, disc.LBA(at)) != nil {
			return false
		}
		sum := sha256.Sum256(block[:])
		all = append(all, descriptor{disc.LBA(at), hex.EncodeToString(sum[:])})
		return true
	}
	for i := range int64(mostRecognition) {
		if !take(iso.FirstDescriptor+i) || !isRecognised(block[:]) {
			break
		}
	}
	if !take(anchorBlock) || binary.LittleEndian.Uint16(block[:]) != anchorTag {
		return all
	}
	blocks := int64(binary.LittleEndian.Uint32(block[16:])) / iso.BlockSize
	first := int64(binary.LittleEndian.Uint32(block[20:])) // ECMA-167 3/10.2.2
	for i := range min(blocks, mostSequence) {
		if !take(first + i) {
			break
		}
	}
	return all
}

// errUnproven: a sector came, and does not hold together.
var errUnproven = errors.New("the sector does not match its own checksum")

// block reads the user data of a sector, as far as it proves itself.
func (d *identifier) block(ctx context.Context, p *[iso.BlockSize]byte, at disc.LBA) error {
	if !d.reader.Caps.Raw {
		return d.reader.ReadUser(ctx, p[:], at)
	}
	var raw [cdsector.Size]byte
	if err := d.reader.ReadRaw(ctx, &raw, at, mmc.AnySector); err != nil {
		return err
	}
	user, err := cdsector.Block(&raw)
	if err != nil {
		return err
	}
	if !cdsector.Unprotected(&raw) && !cdsector.EDCOK(&raw, cdsector.Classify(&raw)) {
		return errUnproven
	}
	copy(p[:], user)
	return nil
}

// rereads is how many times what differs is read before it is believed.
const rereads = 3

// mostCodes is how many tracks are asked for their code: each takes a seek.
const mostCodes = 4

// compare compares a disc with the identity and the layout of an earlier run. Its
// errors wrap [ErrOtherDisc]; what cannot be read now is no evidence.
func (d *identifier) compare(ctx context.Context, was *identity, codes *disc.Layout) error {
	if now := d.mcn(ctx); differ(was.MCN, now) {
		return fmt.Errorf("%w (the catalogue number was %s and is %s)", ErrOtherDisc, was.MCN, now)
	}
	if was.MediaID != "" {
		if now := d.reader.Drive.MediaID(ctx, d.profile); differ(was.MediaID, now) {
			return fmt.Errorf("%w (the blank was of %s and is of %s)", ErrOtherDisc, was.MediaID, now)
		}
	}
	if err := d.compareCodes(ctx, codes); err != nil {
		return err
	}
	for _, x := range was.Descriptors {
		if d.changed(ctx, x) {
			return fmt.Errorf("%w (its volume descriptors differ, in sector %d)", ErrOtherDisc, x.At)
		}
	}
	return ctx.Err()
}

func differ(was, now string) bool { return was != "" && now != "" && was != now }

// compareCodes asks for the codes of some tracks. Drives are known to return that
// of a neighbour: only one that no track had is evidence.
func (d *identifier) compareCodes(ctx context.Context, codes *disc.Layout) error {
	known := make(map[string]bool)
	var coded []*disc.Track
	for _, t := range codes.Tracks() {
		if t.ISRC != "" {
			known[t.ISRC] = true
			coded = append(coded, t)
		}
	}
	for i := range min(mostCodes, len(coded)) {
		t := coded[i*len(coded)/min(mostCodes, len(coded))]
		now, err := d.reader.Drive.ISRC(ctx, t.Number)
		if err == nil && cdsector.ValidISRC(now) && !known[now] {
			return fmt.Errorf("%w (the ISRC of track %d was %s and is %s)", ErrOtherDisc, t.Number, t.ISRC, now)
		}
	}
	return nil
}

// changed reports whether a descriptor is another one now, however often it is
// read.
func (d *identifier) changed(ctx context.Context, was descriptor) bool {
	seen := false
	for range rereads {
		var block [iso.BlockSize]byte
		if d.block(ctx, &block, was.At) != nil {
			continue
		}
		sum := sha256.Sum256(block[:])
		if hex.EncodeToString(sum[:]) == was.Sum {
			return false
		}
		seen = true
	}
	return seen
}

// constant reports whether all bytes are the same, so that they tell no disc from
// another.
func constant(p []byte) bool {
	return len(p) == 0 || bytes.Count(p, p[:1]) == len(p)
}
