package affiliate

import "crypto/sha256"

// HashSecret is what is kept of a secret.
func HashSecret(secret string) [32]byte { return sha256.Sum256([]byte(secret)) }
