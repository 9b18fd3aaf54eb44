# Backend health check
curl https://api-staging.orka-ppm.example.com/health
# Expected: {"status": "healthy", "version": "1.0.0"}

# Database health check
curl https://api-staging.orka-ppm.example.com/health/db
# Expected: {"status": "healthy", "latency_ms": 15}

# Redis health check
curl https://api-staging.orka-ppm.example.com/health/redis
# Expected: {"status": "healthy", "latency_ms": 5}

# OpenAI health check
curl https://api-staging.orka-ppm.example.com/health/openai
# Expected: {"status": "healthy", "latency_ms": 200}

# Test audit event creation
curl -X POST https://api-staging.orka-ppm.example.com/api/audit/events \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "event_type": "test_event",
    "entity_type": "test",
    "entity_id": "123",
    "severity": "info",
    "action_details": {"test": "data"}
  }'

# Test audit event retrieval
curl https://api-staging.orka-ppm.example.com/api/audit/events \
  -H "Authorization: Bearer $TOKEN"

# Test anomaly detection
curl https://api-staging.orka-ppm.example.com/api/audit/anomalies \
  -H "Authorization: Bearer $TOKEN"

# Test semantic search
curl -X POST https://api-staging.orka-ppm.example.com/api/audit/search \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{"query": "Show me all budget changes"}'
