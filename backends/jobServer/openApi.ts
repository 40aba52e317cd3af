const json = (description: string, schema: object = { type: 'object' }): object => ({ description, content: { 'application/json': { schema } } })

const failures = {
  '401': json('the token is missing or not the right one'),
  '503': json('the run cannot do it; the body has the code of the error'),
}

const path = (name: string): object => ({ name, in: 'path', required: true, schema: { type: 'string' } })

/** What the server answers, in OpenAPI 3.1. */
export const openApi = {
  openapi: '3.1.0',
  info: { title: 'A job of rxweir', version: '1', description: 'Every request carries `Authorization: Bearer <token>`.' },
  security: [{ token: [] }],
  components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
  paths: {
    '/metrics': {
      get: {
        summary: 'Where sources, operators, sinks and checkpoints stand, and the last errors',
        responses: { '200': json('the figures; errors are newest first'), ...failures },
      },
    },
    '/watermarks': { get: { summary: 'Event time of every operator, and what holds it back', responses: { '200': json('the times'), ...failures } } },
    '/checkpoints': {
      get: { summary: 'The last checkpoints, newest first', responses: { '200': json('counts, the last one, and the history'), ...failures } },
      post: { summary: 'Take a checkpoint now', responses: { '200': json('its number, when it is complete'), ...failures } },
    },
    '/savepoints': {
      post: {
        summary: 'Take a savepoint',
        requestBody: { required: true, ...json('', { type: 'object', required: ['name'], properties: { name: { type: 'string' } } }) },
        responses: {
          '200': json('the number of its checkpoint, when it is complete'),
          '403': json('there is no place for savepoints'),
          '409': json('there is one of this name'),
          ...failures,
        },
      },
    },
    '/state/{uid}/{state}': {
      get: {
        summary: 'What a state of an operator holds, at the moment or in the newest complete checkpoint',
        parameters: [
          path('uid'),
          path('state'),
          { name: 'key', in: 'query', description: 'One key, as it is stored: "a text" in quotes, or a number', schema: { type: 'string' } },
          { name: 'limit', in: 'query', schema: { type: 'integer', maximum: 1_000 } },
          {
            name: 'as',
            in: 'query',
            description: '`checkpoint`: what a restart now would begin with',
            schema: { type: 'string', enum: ['live', 'checkpoint'], default: 'live' },
          },
        ],
        responses: {
          '200': json('rows, with the number of all where they are live, and of the checkpoint where they are of one'),
          '404': json('there is no such state'),
          ...failures,
        },
      },
    },
  },
} as const
