// Checks a log's folder with Go's own packages for checksum databases: the note, then proofs.
//
//	verify_log KEY FOLDER STEP [WITNESS-KEY]
package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type folder struct{ root string }

func (f folder) Height() int                     { return 8 }
func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

// path names a tile as tlog-tiles does: as Go does, but without the height.
func (f folder) path(tile tlog.Tile) string {
	path := strings.Replace(tile.Path(), "tile/8/data/", "tile/entries/", 1)
	return filepath.Join(f.root, strings.Replace(path, "tile/8/", "tile/", 1))
}

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range tiles {
		data, err := os.ReadFile(f.path(tile))
		if err != nil {
			return nil, err
		}
		found = append(found, data)
	}
	return found, nil
}

func must(err error) {
	if err != nil {
		fmt.Println("NOT VERIFIED:", err)
		os.Exit(1)
	}
}

// cosigner verifies what c2sp.org/tlog-cosignature has a witness sign.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return c.hash }
func (c cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != 72 {
		return false
	}
	time := strconv.FormatUint(binary.BigEndian.Uint64(sig), 10)
	said := "cosignature/v1\ntime " + time + "\n" + string(msg)
	return ed25519.Verify(c.key, []byte(said), sig[8:])
}

func newCosigner(vkey string) cosigner {
	parts := strings.SplitN(vkey, "+", 3)
	hash, err := strconv.ParseUint(parts[1], 16, 32)
	must(err)
	key, err := base64.StdEncoding.DecodeString(parts[2])
	must(err)
	return cosigner{parts[0], uint32(hash), ed25519.PublicKey(key[1:])}
}

// entry reads one entry out of its bundle.
func (f folder) entry(index, size int64) []byte {
	tile := tlog.Tile{H: 8, L: -1, N: index / 256, W: 256}
	if rest := size - tile.N*256; rest < 256 {
		tile.W = int(rest)
	}
	data, err := os.ReadFile(f.path(tile))
	must(err)
	for skip := index % 256; ; skip-- {
		length := int(binary.BigEndian.Uint16(data))
		if skip == 0 {
			return data[2 : 2+length]
		}
		data = data[2+length:]
	}
}

func main() {
	verifier, err := note.NewVerifier(os.Args[1])
	must(err)
	f := folder{os.Args[2]}
	step, err := strconv.ParseInt(os.Args[3], 10, 64)
	must(err)
	data, err := os.ReadFile(filepath.Join(f.root, "checkpoint"))
	must(err)
	known := []note.Verifier{verifier}
	if len(os.Args) > 4 {
		known = append(known, newCosigner(os.Args[4]))
	}
	signed, err := note.Open(data, note.VerifierList(known...))
	must(err)
	if len(signed.Sigs) != len(known) {
		fmt.Println("NOT VERIFIED: signed by", len(signed.Sigs))
		os.Exit(1)
	}
	lines := strings.Split(signed.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	root, err := tlog.ParseHash(lines[2])
	must(err)
	reader := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, f)
	checked := 0
	for index := int64(0); index < size; index += step {
		proof, err := tlog.ProveRecord(size, index, reader)
		must(err)
		must(tlog.CheckRecord(proof, size, root, index, tlog.RecordHash(f.entry(index, size))))
		older, err := tlog.TreeHash(index+1, reader)
		must(err)
		growth, err := tlog.ProveTree(size, index+1, reader)
		must(err)
		must(tlog.CheckTree(growth, size, root, index+1, older))
		checked++
	}
	fmt.Println("verified", checked, "of", size)
}
